"""One mapping, one result: the same captures become the same rows, whichever way they take."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aws_journal import PRIVACY_KEY
from s3_servers import S3Server
from system.everywhere import WAYS, Arrived, Place, arrived, captures


@pytest.fixture(scope="module")
def results(seaweed: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Arrived]:
    """Way -> what became of the captures on it."""
    sent = captures()
    found: dict[str, Arrived] = {}
    for name, way in WAYS.items():
        with pytest.MonkeyPatch.context() as monkeypatch:
            for variable, value in {**seaweed.environment, **PRIVACY_KEY}.items():
                monkeypatch.setenv(variable, value)
            folder = tmp_path_factory.mktemp(name)
            place = Place(folder, seaweed, {"privacy_key": "env:PRIVACY_KEY"})
            found[name] = arrived(way(sent, place))
    return found


OTHERS = [name for name in WAYS if name != "local"]


def test_the_captures_meet_every_fate_there_is(results: Mapping[str, Arrived]):
    """Else the comparison would say little."""
    local = results["local"]

    assert {fate for fate, count in local.fates.items() if count} >= {"stored", "rejected", "duplicate"}
    assert len(local.rows["events"]) > 100
    assert sum(bool(rows) for rows in local.rows.values()) >= 3


@pytest.mark.parametrize("way", OTHERS)
def test_rows_are_equal(results: Mapping[str, Arrived], way: str):
    for table, rows in results["local"].rows.items():
        found = results[way].rows[table]
        other = [
            (number, column, one, another)
            for number, pair in enumerate(zip(found, rows, strict=False))
            for column, (one, another) in enumerate(zip(*pair, strict=True))
            if one != another
        ]
        assert (len(found), other[:3]) == (len(rows), []), table


@pytest.mark.parametrize("way", OTHERS)
def test_counts_are_equal(results: Mapping[str, Arrived], way: str):
    assert results[way].fates == results["local"].fates
    assert results[way].received == results["local"].received


@pytest.mark.parametrize("way", OTHERS)
def test_rejected_events_are_equal(results: Mapping[str, Arrived], way: str):
    assert results[way].rejected == results["local"].rejected
