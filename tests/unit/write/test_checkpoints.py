"""When checkpoints are written, which of them stay, and what it costs."""

from __future__ import annotations

import logging
import os
import time
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from object_stores import Watched
from unit.write.ledger_histories import PLACES, History, InStore, OnDisk, grown

from connector.commands import compact
from connector.config import load_settings
from connector.rounds.passes import Passes
from connector.write.audit import audit
from connector.write.checkpoint import covered, encode
from connector.write.checkpoint_shelf import StoreShelf
from connector.write.checkpoints import EVERY, KEPT, Checkpoints

NEVER = date(2000, 1, 1)
"""A day without files: those of these ledgers are not there."""


@pytest.fixture(params=PLACES)
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    return History(PLACES[request.param](tmp_path))


def publish(history: History, count: int) -> None:
    for _ in range(count):
        history.publish(f"h-{len(history.state.records)}")


def test_one_is_due_when_the_ledger_has_grown_by_so_many(history):
    shelf = history.place.data.checkpoints()
    keeper = Checkpoints(shelf, every=4)
    written = []
    for _ in range(13):
        written.append(keeper.keep(history.state))
        publish(history, 1)

    assert [at for at, name in enumerate(written) if name] == [4, 8, 12]
    assert [covered(name) for name in shelf.names()] == [12, 8], f"the newest {KEPT} stay"
    assert history.place.data.fold() == history.place.data.proven() == history.state


def test_another_process_goes_on_from_what_there_is(history):
    shelf = history.place.data.checkpoints()
    publish(history, 5)
    Checkpoints(shelf, every=4).keep(history.state)
    publish(history, 3)

    assert Checkpoints(shelf, every=4).keep(history.state) is None
    publish(history, 1)
    assert Checkpoints(shelf, every=4).keep(history.state) == shelf.names()[0]


def test_nothing_is_asked_for_while_none_is_due():
    history = grown(InStore(), 9)
    watched = Watched(history.place.store)
    keeper = Checkpoints(StoreShelf(watched), every=10)

    keeper.keep(history.state)
    assert watched.calls == ["find", "create", "find", "delete"]
    publish(history, 9)
    keeper.keep(history.state)
    assert len(watched.calls) == 4

    young = Watched(history.place.store)
    Checkpoints(StoreShelf(young)).keep(history.state)
    assert young.calls == [], f"a ledger of less than {EVERY} needs none"


def test_what_is_no_good_does_not_count_and_goes(history):
    shelf = history.place.data.checkpoints()
    publish(history, 6)
    other = History(InStore())
    publish(other, 50)
    name, content = encode(other.state)
    shelf.create(name, content[:-9])
    state = history.place.data.fold()

    written = Checkpoints(shelf, every=4).keep(state)

    assert shelf.names() == [written]
    assert history.place.data.fold().origin.checkpoint == written


def test_a_torn_one_is_written_again_under_its_name(history):
    shelf = history.place.data.checkpoints()
    publish(history, 6)
    name, content = encode(history.state)
    shelf.create(name, content[: len(content) // 2])

    assert Checkpoints(shelf, every=4).keep(history.place.data.fold()) == name

    assert shelf.read(name) == content
    assert history.place.data.fold().origin.checkpoint == name


def test_what_a_dead_process_left_half_written_goes_an_hour_later(tmp_path):
    history = grown(OnDisk(tmp_path), 6)
    folder = tmp_path / "ledger/checkpoints"
    folder.mkdir()
    (folder / ".aa.part").write_bytes(b"half")
    (folder / ".bb.part").write_bytes(b"half")
    hour_ago = time.time() - 3_601
    os.utime(folder / ".bb.part", (hour_ago, hour_ago))

    name = Checkpoints(history.place.data.checkpoints(), every=4).keep(history.state)

    assert sorted(path.name for path in folder.iterdir()) == [".aa.part", Path(name).name]
    findings = audit(tmp_path, journal_closed=None, now_ms=0, pause=lambda: None).findings
    assert not any("checkpoint" in finding for finding in findings)


class Count:
    """The figures of a janitor."""

    failures = 0

    def count(self, done):
        pass

    def failed(self):
        self.failures += 1


@pytest.fixture
def passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passes:
    monkeypatch.setattr("connector.rounds.passes.Checkpoints", partial(Checkpoints, every=4))
    return Passes(load_settings(data=str(tmp_path)), Count())


def test_a_pass_of_the_janitor_writes_one(tmp_path, passes, caplog):
    history = History(OnDisk(tmp_path))
    publish(history, 5)

    with caplog.at_level(logging.INFO):
        passes.next(lambda: True)

    (name,) = history.place.data.checkpoints().names()
    assert f"wrote {name}" in caplog.text
    assert history.place.data.fold() == history.state


def test_a_pass_goes_on_where_none_can_be_written(tmp_path, passes, caplog):
    history = History(OnDisk(tmp_path))
    publish(history, 5)
    (tmp_path / "ledger/checkpoints").write_bytes(b"a file in the place of the folder")

    pause = passes.next(lambda: True)

    assert pause == load_settings(data=str(tmp_path)).compact_seconds
    assert passes._figures.failures == 1
    assert "no checkpoint of the ledger was written, the next pass tries again" in caplog.text


def test_the_command_writes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(compact, "Checkpoints", partial(Checkpoints, every=4))
    history = History(OnDisk(tmp_path))
    publish(history, 5)

    assert compact.run(load_settings(data=str(tmp_path)), NEVER, NEVER) == 0

    assert history.place.data.fold().origin.checkpoint == history.place.data.checkpoints().names()[0]


def test_the_command_compacts_where_none_can_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compact, "Checkpoints", partial(Checkpoints, every=4))
    publish(History(OnDisk(tmp_path)), 5)
    (tmp_path / "ledger/checkpoints").write_bytes(b"a file in the place of the folder")

    assert compact.run(load_settings(data=str(tmp_path)), NEVER, NEVER) == 0

    assert "no checkpoint of the ledger is written: " in capsys.readouterr().err
