"""Whose a device is: the first statement about it, whatever order statements came in."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.prepared.small_lakes import SmallLake
from unit.prepared.test_prepared_copies import FRIDAY, FRIDAY_MS, SATURDAY, SPRING, row

from connector.prepared import Resolution

NO_TIME_DAY = "2010-01-01"


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    return SmallLake(tmp_path / "data")


def said(number: int, device: str | None, user: str | None, **more):
    return row(number, anonymous_id=device, user_id=user, **more)


def owners(lake: SmallLake) -> dict[str, str]:
    _, found = lake.resolved()
    assert found == lake.expected()
    return {device: user for device, user, _, _ in found.identities}


def test_a_device_keeps_its_first_user_and_a_user_may_have_many_devices(lake):
    lake.add("events", SATURDAY, [said(1, "laptop", "bob", timestamp=FRIDAY_MS + 86_400_000)])
    lake.add("events", FRIDAY, [said(2, "laptop", "ada"), said(3, "phone", "ada"), said(4, "tablet", None)])

    assert owners(lake) == {"laptop": "ada", "phone": "ada"}


def test_identify_and_alias_calls_speak_of_devices_too(lake):
    lake.add("profiles", FRIDAY, [said(1, "laptop", "ada")])
    lake.add(
        "aliases",
        FRIDAY,
        [said(2, "phone", "bob", previous_id="kiosk"), said(3, None, "cem", previous_id="tv")],
    )

    assert owners(lake) == {"laptop": "ada", "phone": "bob", "kiosk": "bob", "tv": "cem"}


def test_empty_ids_say_nothing(lake):
    lake.add("events", FRIDAY, [said(1, "", "ada"), said(2, "laptop", "")])
    lake.add("aliases", FRIDAY, [said(3, "", "ada", previous_id="")])

    assert owners(lake) == {}


def test_of_one_time_the_message_then_the_order_before_its_lines_then_the_row_decides(lake):
    same = [
        said(3, "laptop", "cem", message_id="m-1", line_index=0),
        said(2, "laptop", "bob", message_id="m-2"),
        said(4, "laptop", "dee", message_id="m-1"),
        said(1, "laptop", "ada", message_id=None),
    ]
    lake.add("events", FRIDAY, same)
    assert owners(lake) == {"laptop": "dee"}


def test_the_same_decides_between_tables_and_between_days_that_are_not_read_again(lake):
    first = lake.add("events", FRIDAY, [said(1, "laptop", "ada", message_id="m-1")])
    lake.add("profiles", FRIDAY, [said(2, "laptop", "bob", message_id=None)])
    lake.add("aliases", FRIDAY, [said(3, "laptop", "cem", message_id="m-2")])
    assert owners(lake) == {"laptop": "ada"}

    lake.remove(first)

    assert owners(lake) == {"laptop": "cem"}


def test_a_statement_without_a_time_comes_last(lake):
    lake.add(
        "events",
        NO_TIME_DAY,
        [said(1, "laptop", "bob", timestamp=None), said(2, "tv", "cem", timestamp=None)],
    )
    lake.add("events", FRIDAY, [said(3, "laptop", "ada")])

    assert owners(lake) == {"laptop": "ada", "tv": "cem"}
    assert lake.resolved()[1].identities[1] == ("tv", "cem", None, "row-2")


def test_a_copy_says_nothing_even_if_its_time_is_earlier(lake):
    """Of a sender that states no time, the copy has the time of its own arrival."""
    lake.add("events", FRIDAY, [said(1, "laptop", "ada", timestamp=FRIDAY_MS - 5, received_at=None)])
    lake.add(
        "events", SATURDAY, [row(1, "h-0", anonymous_id="laptop", user_id="bob"), said(2, "laptop", "cem")]
    )

    assert owners(lake) == {"laptop": "bob"}


def test_what_turned_out_to_be_a_copy_is_not_remembered(lake):
    first = lake.add("profiles", FRIDAY, [said(1, "laptop", "bob")])
    lake.add(
        "events", SATURDAY, [row(2, "h-2", anonymous_id="laptop", user_id="ada", timestamp=FRIDAY_MS + 1)]
    )
    assert owners(lake) == {"laptop": "bob"}
    lake.add("events", SPRING, [row(2, "h-1")])
    assert owners(lake) == {"laptop": "bob"}

    lake.remove(first)

    assert owners(lake) == {}


def test_a_late_statement_of_an_earlier_time_changes_the_past(lake):
    lake.add("events", SPRING, [said(1, "laptop", "bob", timestamp=FRIDAY_MS + 9_000)])
    assert owners(lake) == {"laptop": "bob"}

    lake.add("events", FRIDAY, [said(2, "laptop", "ada")])

    assert owners(lake) == {"laptop": "ada"}


def test_the_next_statement_counts_when_the_first_is_removed(lake):
    first = lake.add("events", FRIDAY, [said(1, "laptop", "ada")])
    lake.add("profiles", SATURDAY, [said(2, "laptop", "bob", timestamp=FRIDAY_MS + 1)])
    lake.add("events", SPRING, [said(3, "laptop", "cem", timestamp=FRIDAY_MS + 2)])
    owners(lake)

    lake.remove(first)

    assert owners(lake) == {"laptop": "bob"}


def test_the_next_of_the_same_millisecond_is_found_in_another_part(lake, monkeypatch):
    monkeypatch.setattr("connector.prepared.manifest.SMALL_ROWS", 0)
    earlier = [said(number, f"kiosk-{number}", "ada", timestamp=FRIDAY_MS - number) for number in range(1, 9)]
    lake.add("profiles", FRIDAY, [said(20, "laptop", "bob", message_id="m-2"), *earlier])
    owners(lake)
    first = lake.add("events", FRIDAY, [said(30, "laptop", "ada", message_id="m-1")])
    assert owners(lake)["laptop"] == "ada"

    lake.remove(first)

    assert owners(lake)["laptop"] == "bob"


def test_it_says_what_it_took(lake):
    lake.add(
        "events", FRIDAY, [said(1, "laptop", "ada"), row(1, "h-2", anonymous_id="laptop", user_id="ada")]
    )
    lake.add("profiles", FRIDAY, [said(2, "phone", "ada")])

    first, again = lake.resolved()[0], lake.resolved()[0]

    assert first == Resolution(1, 1, 3, copies=1, devices=2, reused=False, saved=True)
    assert again == Resolution(1, 0, 0, copies=1, devices=2, reused=True, saved=False)
    assert str(first) == "1 copies, 2 devices with a user; 1 of 1 days read (3 rows), saved"
