"""Checkpoints that are torn, half written or tidied while they are read: C40 of journal-protocol 7.

Run as a program, this file is the process that dies: ``python test_checkpoint_crashes.py ROOT POINT``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from contract.data_folders import DataUnderTest, place_of
from contract.publishing import compact, publish_rows, view
from faults.test_publish_crashes import Dying
from object_stores import Killed, MemoryStore, Mortal, Watched
from unit.write.ledger_histories import PLACES, History, InStore, OnDisk

from connector.errors import StoreError
from connector.write.checkpoint_shelf import FolderShelf, StoreShelf
from connector.write.checkpoints import KEPT, Checkpoints
from connector.write.data import FolderData, StoreData

EVERY = 4
POINTS = ["before write", "before link", "after link", "before unlink 1", "before unlink 2", "after unlink 2"]
"""The second file that goes is a checkpoint, the first is what was linked."""
CALLS = ["find", "create", "find", "delete"]
"""What a janitor asks a store for when a checkpoint is due."""


def main(root: str, point: str) -> None:
    """Write a checkpoint, dying at ``point``."""
    shelf = FolderShelf(Path(root), _Dying(point))
    Checkpoints(shelf, EVERY).keep(FolderData(Path(root)).fold())


class _Dying(Dying):
    def unlink(self, path):
        self.step("unlink", lambda: super(Dying, self).unlink(path))


def grow(history: History, count: int = EVERY) -> None:
    for _ in range(count):
        history.publish(f"h-{len(history.state.records)}")


def supplied(place) -> History:
    """A ledger with two checkpoints, of which a third is due."""
    history = History(place)
    for _ in range(3):
        Checkpoints(place.data.checkpoints(), EVERY).keep(history.state)
        grow(history)
    assert len(place.data.checkpoints().names()) == 2
    return history


def readable(history: History) -> None:
    """Everybody reads what is true, and from a checkpoint; the next janitor leaves the newest ones."""
    data = history.place.data
    state = data.fold()
    assert state == data.proven() == history.state
    assert state.origin.checkpoint is not None
    grow(history)
    written = Checkpoints(data.checkpoints(), EVERY).keep(data.fold())
    assert data.checkpoints().names()[0] == written
    assert len(data.checkpoints().names()) == KEPT
    assert data.fold() == data.proven() == history.state


@pytest.mark.parametrize("point", POINTS)
def test_c40_a_process_that_dies_while_it_writes_one(tmp_path, point):
    history = supplied(OnDisk(tmp_path))
    program = [sys.executable, __file__, str(tmp_path), point]
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}

    dead = subprocess.run(program, env={**os.environ, **paths}, timeout=60, check=False)

    assert dead.returncode == -signal.SIGKILL
    readable(history)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_c40_a_function_that_dies_between_two_requests(when, number):
    history = supplied(InStore())

    def die() -> None:
        raise Killed

    store = Mortal(history.place.store).at(when, number, die)
    with pytest.raises(Killed):
        Checkpoints(StoreShelf(store), EVERY).keep(history.state)

    readable(history)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_c40_a_store_that_refuses_or_whose_answer_is_lost(when, number):
    history = supplied(InStore())

    def refuse() -> None:
        raise StoreError("503 Slow Down")

    keeper = Checkpoints(StoreShelf(Watched(history.place.store).at(when, number, refuse)), EVERY)
    with pytest.raises(StoreError):
        keeper.keep(history.state)

    keeper.keep(history.state)
    readable(history)


@pytest.mark.parametrize("where", PLACES)
def test_c40_one_that_is_torn_at_every_tenth_byte(tmp_path, where):
    history = History(PLACES[where](tmp_path))
    grow(history)
    data, shelf = history.place.data, history.place.data.checkpoints()
    name = Checkpoints(shelf, EVERY).keep(history.state)
    grow(history, 1)
    content = shelf.read(name)

    for length in range(0, len(content), 10):
        shelf.delete([name])
        shelf.create(name, content[:length])
        state = data.fold()
        assert state == history.state
        assert (state.origin.checkpoint, state.origin.unusable) == (None, {name})

    written = Checkpoints(shelf, EVERY).keep(state)
    assert shelf.names() == [written]
    readable(history)


@pytest.mark.parametrize("later", [False, True], ids=["the same fold", "a later fold"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_c40_two_janitors_at_once(number, later):
    """One does all of its work between two requests of the other."""
    history = supplied(InStore())
    first = history.state
    if later:
        grow(history)

    def other() -> None:
        Checkpoints(StoreShelf(history.place.store), EVERY).keep(history.place.data.proven())

    store = Watched(history.place.store).at("after", number, other)
    Checkpoints(StoreShelf(store), EVERY).keep(first)

    assert 1 <= len(history.place.data.checkpoints().names()) <= KEPT + 1
    readable(history)


@pytest.mark.parametrize("number", range(1, 8))
def test_c40_a_reader_beside_a_janitor_that_tidies(number):
    """The ledger grows as well; the reader sees what was true when it looked."""
    history = supplied(InStore())
    before = history.state

    def tidy() -> None:
        for _ in range(2):
            grow(history)
            Checkpoints(StoreShelf(history.place.store), EVERY).keep(history.state)

    watched = Watched(history.place.store).at("before", number, tidy)
    state = StoreData(watched).fold()

    assert before.records.items() <= state.records.items() <= history.state.records.items()
    assert history.place.data.fold(state) == history.state
    readable(history)


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


def test_publishers_compactions_and_readers_go_on_from_one(place):
    """A real lake, its checkpoint read by those who have never seen the ledger."""
    for number in range(6):
        publish_rows(place, f"h-{number}", events=[view(f"h-{number}", 0, number % 4)])
    keeper = Checkpoints(place.data.checkpoints(), EVERY)
    name = keeper.keep(place.data.fold())
    assert name is not None

    compact(place)
    publish_rows(place, "h-6", events=[view("h-6", 0, 9)])

    state = place.data.fold()
    assert state.origin.checkpoint == name
    assert state == place.data.proven()
    publisher = place.publisher()
    publisher.recover()
    assert publisher.fold == state
    with place.lake() as lake:
        assert lake.execute("SELECT count(*) FROM events_raw").fetchall() == [(5,)]
    assert place.audit().findings == ()
    publisher.remove_old(0)
    assert place.data.names() == set(state.live)


def test_the_memory_of_a_store_has_the_versions_of_a_real_one():
    """Its tests rest on it: other bytes under a name are another version."""
    store = MemoryStore()
    store.put("a", b"1")
    (before,) = store.find("a")
    store.put("a", b"2")
    (after,) = store.find("a")

    assert before.etag != after.etag


if __name__ == "__main__":
    main(*sys.argv[1:])
