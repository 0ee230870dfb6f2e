"""Which files of a day are worth merging."""

from __future__ import annotations

import pytest

from connector.compaction import ALL, RECENT
from connector.compaction.rules import neighbours
from connector.write.entries import Output
from connector.write.ledger import Live

MB = 1_000_000


def files(*sizes: int) -> list[Live]:
    return [
        Live(Output(f"tables/events/day=2026-11-27/{at}.parquet", 1, 1, size, ""), 1, None)
        for at, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "merged"),
    [
        ((1,) * 8, 8),
        ((1,) * 7, 0),
        ((20, *(1,) * 8), 8),
        ((20, *(2,) * 8), 9),
        ((90, 20, *(1,) * 10), 11),
        ((200, *(1,) * 8), 8),
    ],
    ids=["eight", "seven", "a merged file waits", "until the others weigh half of it", "tier by tier",
         "a large one is done"],
)  # fmt: skip
def test_a_day_that_grows_is_written_anew_a_few_times_and_not_each_time(sizes, merged):
    assert len(RECENT.small(files(*(size * MB for size in sizes)))) == merged


def test_a_day_that_is_over_has_every_small_file_merged():
    assert len(ALL.small(files(90 * MB, MB))) == 2
    assert ALL.small(files(MB)) == []
    assert ALL.small(files(140 * MB, 150 * MB)) == []


def test_neighbours_are_days_of_the_calendar():
    assert neighbours("2028-03-01") == ("2028-02-29", "2028-03-02")
