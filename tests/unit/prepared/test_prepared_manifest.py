"""The manifest of prepared files: it comes back as it was, or not at all; and parts stay few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.prepared.days import TableDay, changed, days_of
from connector.prepared.manifest import (
    RETIRED_MS,
    SMALL_ROWS,
    STRAY_MS,
    Manifest,
    Part,
    PreparedFile,
    to_merge,
    without,
)
from connector.write.entries import Output
from connector.write.ledger import Fold, Live

MADE_WITH = "v2.0.0 4711"
FRIDAY, SATURDAY = TableDay("events", "2026-11-27"), TableDay("profiles", "2026-11-28")
NOW_MS = 1_800_000_000_000


def file(kind: str, number: int) -> PreparedFile:
    return PreparedFile(f"{kind}-{number:016x}.parquet", 100 + number, f"{number:064x}")


def part(number: int, rows: int, dead: int = 0) -> Part:
    return Part(file("keys", number), rows + dead, {TableDay("events", f"2026-11-{number:02d}"): rows})


MANIFEST = Manifest(
    MADE_WITH,
    {FRIDAY: "0a", SATURDAY: "0b"},
    (Part(file("keys", 1), 30, {FRIDAY: 10, SATURDAY: 20}),),
    (Part(file("links", 2), 7, {FRIDAY: 7}, NOW_MS), Part(file("links", 3), 1, {SATURDAY: 1})),
    file("groups", 4),
    file("identities", 5),
    {"keys-00000000000000aa.parquet": NOW_MS},
)


def test_it_comes_back_as_it_was():
    assert Manifest.decoded(MANIFEST.encoded(), MADE_WITH) == MANIFEST
    assert Manifest.decoded(Manifest(MADE_WITH).encoded(), MADE_WITH) == Manifest(MADE_WITH)


@given(st.data())
def test_one_that_was_cut_or_altered_counts_as_none(data):
    content = MANIFEST.encoded()
    cut = data.draw(st.integers(0, len(content) - 2))
    at, other = data.draw(st.integers(0, len(content) - 2)), data.draw(st.binary(min_size=1, max_size=1))

    assert Manifest.decoded(content[:cut], MADE_WITH) is None
    altered = content[:at] + other + content[at + 1 :]
    assert Manifest.decoded(altered, MADE_WITH) in (None, MANIFEST)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"7", b'{"prepared":{}}', b"[" * 100_000])
def test_other_bytes_count_as_none(content):
    assert Manifest.decoded(content, MADE_WITH) is None


def test_hashes_of_another_version_count_as_none():
    assert Manifest.decoded(MANIFEST.encoded(), "v2.1.0 4711") is None


@pytest.mark.parametrize("name", ["../../privacy.key", "keys-1.parquet", "/etc/passwd", "manifest.json"])
def test_a_manifest_names_prepared_files_and_no_others(name):
    foreign = replace(MANIFEST, groups=PreparedFile(name, 1, ""))
    assert Manifest.decoded(foreign.encoded(), MADE_WITH) is None
    assert Manifest.decoded(replace(MANIFEST, retired={name: 0}).encoded(), MADE_WITH) is None


def test_days_that_changed_count_for_no_part_any_more():
    both, only_friday = MANIFEST.keys[0], MANIFEST.links[0]

    assert without([both, only_friday], frozenset({FRIDAY})) == (both._replace(live={SATURDAY: 20}),)


def test_a_day_has_changed_when_its_files_have_and_when_it_is_gone():
    def state(*names: str) -> Fold:
        return Fold(tables={name: Live(Output(name, 5, 5, 9, "00"), 1, None) for name in names})

    one, other = (f"tables/events/day=2026-11-27/h-{number}.parquet" for number in (1, 2))
    later, foreign = "tables/aliases/day=2026-11-28/h.parquet", "tables/groups/day=2026-11-28/h.parquet"
    before = {day: files.digest for day, files in days_of(state(one, later)).items()}

    assert changed(before, days_of(state(one, later, foreign))) == frozenset()
    assert changed(before, days_of(state(one, other, later))) == {FRIDAY}
    assert changed(before, days_of(state(other, later))) == {FRIDAY}
    assert changed(before, days_of(state(one))) == {TableDay("aliases", "2026-11-28")}
    assert days_of(state(one, other))[FRIDAY].rows == 10


def test_what_is_small_or_mostly_out_of_date_is_written_with_the_new_rows():
    large, small, dead = part(1, 10 * SMALL_ROWS), part(2, 3), part(3, 2 * SMALL_ROWS, dead=3 * SMALL_ROWS)

    assert to_merge([large, small, dead], 5) == [small, dead]
    assert to_merge([large], 6 * SMALL_ROWS) == [large]


def test_parts_stay_few_and_rows_are_written_a_few_times(monkeypatch):
    monkeypatch.setattr("connector.prepared.manifest.SMALL_ROWS", 0)
    parts: list[Part] = []
    written = 0
    for number in range(1_000):
        merged = to_merge(parts, 10)
        rows = 10 + sum(each.live_rows for each in merged)
        written += rows
        parts = [each for each in parts if each not in merged] + [
            Part(file("keys", number), rows, {FRIDAY: rows})
        ]
        assert len(parts) <= 8

    assert sum(each.rows for each in parts) == 10_000
    assert written <= 10_000 * 10


def test_files_that_were_replaced_stay_for_an_hour_and_those_nobody_names_for_a_day():
    newer = replace(MANIFEST, groups=file("groups", 6)).instead_of(MANIFEST, NOW_MS)
    old, used, stray = (
        "groups-0000000000000004.parquet",
        "groups-0000000000000006.parquet",
        "keys-" + "b" * 16,
    )
    ages_ms = dict.fromkeys([old, used, "notes.txt"], STRAY_MS) | {f"{stray}.parquet": STRAY_MS - 1}

    assert newer.retired == {**MANIFEST.retired, old: NOW_MS}
    assert newer.unwanted(ages_ms, NOW_MS + RETIRED_MS - 1) == []
    assert newer.unwanted(ages_ms, NOW_MS + RETIRED_MS) == [old]
    assert newer.unwanted({f"{stray}.parquet": STRAY_MS}, NOW_MS) == [f"{stray}.parquet"]
    assert replace(newer, retired={}).instead_of(newer, NOW_MS + 2 * RETIRED_MS).retired == {}
