"""An operator sees why requests are refused, once a minute and never what was in them."""

from __future__ import annotations

import pytest
from receive_fakes import Clock

from connector.errors import CannotKeep, SignatureMismatch, UnknownWriteKey
from connector.receive.refusals import Refusals
from connector.receive.throttle import Throttle

WRONG = SignatureMismatch("the signature does not match")


def test_the_first_of_a_kind_is_told_and_the_next_after_a_minute_with_their_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    refusals = Refusals(Throttle(clock))

    for _ in range(5):
        refusals.note("web", WRONG)
    clock.seconds += 59.9
    refusals.note("web", WRONG)
    clock.seconds += 0.1
    refusals.note("web", WRONG)

    assert caplog.messages == [
        "source web: request refused with 401 signature_mismatch (the signature does not match)",
        "source web: request refused with 401 signature_mismatch (the signature does not match); "
        "5 more since the last such line",
    ]


def test_every_source_and_every_reason_has_its_own_minute(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(Throttle(Clock()))

    for source, trouble in [
        ("web", WRONG),
        ("app", WRONG),
        ("web", CannotKeep("no room", code="public_no_room")),
        ("unknown", UnknownWriteKey("no source has this write key")),
    ] * 2:
        refusals.note(source, trouble)

    assert [message.split(" (")[0] for message in caplog.messages] == [
        "source web: request refused with 401 signature_mismatch",
        "source app: request refused with 401 signature_mismatch",
        "source web: request refused with 503 public_no_room",
        "source unknown: request refused with 401 unknown_write_key",
    ]


def test_its_memory_has_an_end(caplog: pytest.LogCaptureFixture) -> None:
    throttle = Throttle(Clock())
    refusals = Refusals(throttle)

    for number in range(2_500):
        refusals.note(f"source-{number}", WRONG)

    assert len(caplog.messages) == 2_500
    assert len(throttle._quiet) <= 1_000
