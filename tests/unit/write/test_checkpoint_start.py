"""From which checkpoint a fold begins, and what it costs. C40."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from object_stores import MemoryStore, Watched
from unit.write.ledger_histories import PLACES, History, InStore, OnDisk, grown

from connector.errors import LedgerError, StoreError
from connector.write.audit import audit
from connector.write.checkpoint import encode
from connector.write.data import StoreData
from connector.write.entries import Entry, encode_record
from connector.write.ledger import GENESIS, Fold, entry_path
from connector.write.object_ledger import change_name, record_name


@pytest.fixture(params=PLACES)
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    """Six captured files, a change after the third or fourth, a checkpoint after each."""
    history = History(PLACES[request.param](tmp_path))
    for number in range(6):
        history.publish(f"h-{number}")
        if number == 3:
            history.take("compaction", 7)
        save(history)
    return history


def save(history: History, state: Fold | None = None) -> str:
    name, content = encode(state or history.state)
    history.place.data.checkpoints().create(name, content)
    return name


def put(history: History, name: str, content: bytes) -> None:
    place = history.place
    if isinstance(place, OnDisk):
        (place.root / name).write_bytes(content)
    else:
        place.store.put(name, content)


def test_it_begins_with_the_newest(history):
    names = history.place.data.checkpoints().names()

    state = history.place.data.fold()

    assert len(names) == 6
    assert (state.origin.checkpoint, state.origin.unusable) == (names[0], frozenset())
    assert state == history.place.data.proven()


@pytest.mark.parametrize("content", [b"", b"{}", None], ids=["empty", "something else", "torn"])
def test_c40_what_cannot_be_read_is_passed_over(history, content):
    shelf = history.place.data.checkpoints()
    newest, second, third = shelf.names()[:3]
    for name in (newest, second):
        put(history, name, shelf.read(name)[:-1] if content is None else content)

    state = history.place.data.fold()

    assert (state.origin.checkpoint, state.origin.unusable) == (third, frozenset((newest, second)))
    assert state == history.place.data.proven()


def test_c40_without_any_everything_is_folded(history):
    shelf = history.place.data.checkpoints()
    shelf.delete(shelf.names())

    assert history.place.data.fold().origin.checkpoint is None
    assert history.place.data.fold() == history.state


def test_c40_one_that_goes_while_it_is_asked_for_is_passed_over(history, monkeypatch):
    """Between the listing and the look at it somebody has tidied."""
    shelf = history.place.data.checkpoints()
    newest, second = shelf.names()[:2]
    read = type(shelf).read
    monkeypatch.setattr(type(shelf), "read", lambda self, n: None if n == newest else read(self, n))

    assert history.place.data.fold().origin.checkpoint == second


def test_c40_one_of_another_history_is_passed_over(tmp_path, history):
    """The same numbers, other content: a folder that was restored and went on differently."""
    other = History(type(history.place)(tmp_path / "b") if history.place.data.root else InStore())
    for number in range(9):
        other.publish(f"x-{number}")
        if number == 3:
            other.take("compaction", 8)
    foreign = save(history, other.state)

    state = history.place.data.fold()

    assert foreign in state.origin.unusable
    assert state.origin.checkpoint not in (None, foreign)
    assert state == history.place.data.proven()


def test_c40_one_that_is_newer_than_the_log_is_passed_over(history):
    """The last change is gone: as before, nobody can know it from the others."""
    number = history.state.number
    history.take("compaction", 9)
    newer = save(history)
    place = history.place
    if isinstance(place, OnDisk):
        entry_path(place.root, number + 1).unlink()
    else:
        place.store.delete([change_name(number + 1)])

    state = place.data.fold()

    assert (state.number, newer in state.origin.unusable) == (number, True)
    assert state == place.data.proven()
    assert any(
        finding.startswith(f"{newer} disagrees with the ledger: ledger entry {number + 1} is gone")
        for finding in audit(place.data, journal_closed=None, now_ms=0, pause=lambda: None).findings
    )


def test_an_entry_in_the_middle_that_is_gone_is_found(tmp_path):
    history = grown(OnDisk(tmp_path), 5)
    save(history)
    entry_path(tmp_path, 2).unlink()

    with pytest.raises(LedgerError, match="entry 2 is missing, entry 3 is there"):
        history.place.data.fold()


def test_a_change_in_the_middle_that_is_gone_is_found_in_a_store():
    history = grown(InStore(), 5)
    history.take("compaction", 3)
    save(history)
    history.place.store.delete([change_name(1)])

    with pytest.raises(LedgerError, match="entry 1 is missing, entry 2 is there"):
        history.place.data.fold()


@pytest.mark.parametrize("compacted", [False, True])
def test_a_record_that_is_gone_is_found(compacted):
    """Folding from the beginning finds it only where a change speaks of it."""
    history = History(InStore())
    history.publish("h-1", "h-2", "h-3")
    if compacted:
        history.take("rerun", 3)
    name = save(history)
    history.place.store.delete([record_name("h-2")])

    with pytest.raises(LedgerError, match=f"the ledger record of h-2 is gone; {name} knows it"):
        history.place.data.fold()


def test_c40_of_a_store_that_began_anew_without_any_change_it_is_passed_over():
    history = History(InStore())
    history.publish("h-1", "h-2")
    name = save(history)
    place = history.place
    place.store.delete([record_name("h-1"), record_name("h-2")])
    again = History(place)
    again.publish("h-3")

    assert place.data.fold() == place.data.proven()
    assert place.data.fold().origin.unusable == {name}


def test_an_entry_that_was_edited_since_is_found(tmp_path):
    """Also one that a checkpoint holds: its file is not the one that was read."""
    history = grown(OnDisk(tmp_path), 5)
    save(history)
    path = entry_path(tmp_path, 2)
    path.write_bytes(path.read_bytes().replace(b'"stored":2', b'"stored":3'))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))

    with pytest.raises(LedgerError, match="entry 2 was altered"):
        history.place.data.fold()


def test_a_record_that_was_edited_since_is_found():
    history = grown(InStore(), 5)
    save(history)
    store, name = history.place.store, record_name("h-2")
    store.put(name, store.read(name).replace(b'"stored":2', b'"stored":3'))

    with pytest.raises(LedgerError, match="the ledger record of h-2 was altered"):
        history.place.data.fold()


def test_a_record_that_was_made_anew_since_counts_as_it_is_now():
    """Somebody took it away and the captured file was written again: the checkpoint is of no use."""
    history = grown(InStore(), 3)
    save(history)
    store = history.place.store
    store.put(record_name("h-1"), encode_record(history.state.records["h-1"], "attempt-2"))

    state = history.place.data.fold()

    assert state.origin.checkpoint is None
    assert state.objects != history.state.objects
    assert state == history.place.data.proven()


def test_a_change_that_is_damaged_where_a_checkpoint_ends_is_found():
    history = History(InStore())
    history.publish("h-1")
    history.take("rerun", 3)
    save(history)
    history.place.store.put(change_name(1), b"{}")

    with pytest.raises(LedgerError, match="entry 1 is unreadable"):
        history.place.data.fold()


def test_what_contradicts_a_checkpoint_later_is_found_as_ever():
    history = History(InStore())
    history.publish("h-1")
    save(history)
    history.place.change(Entry(1, "compaction", GENESIS, 5, removes=("tables/x/day=1/y",)))

    with pytest.raises(LedgerError, match=r"entry 1 removes .* which is not live"):
        history.place.data.fold()


def test_one_request_stands_for_many():
    store = MemoryStore()
    history = grown(InStore(store), 40)
    save(history)
    history.publish("h-40", "h-41")
    watched = Watched(store)

    state = StoreData(watched).fold()

    assert state == history.state
    assert watched.calls == ["find"] * 3 + ["read"] * 4, "the checkpoint, its last change, two records"
    assert StoreData(watched).fold(state) is state
    assert watched.calls[7:] == ["find"] * 2, "whoever goes on asks for no checkpoint"


class _Refusing(Watched):
    """What lies in ``ledger/checkpoints/`` is refused."""

    retryable = False

    def find(self, prefix):
        return self._checked(prefix) or super().find(prefix)

    def read(self, name):
        return self._checked(name) or super().read(name)

    def _checked(self, name):
        if name.startswith("ledger/checkpoints/"):
            raise StoreError("refused", code="store_forbidden", retryable=self.retryable)


def test_c40_who_may_not_read_checkpoints_folds_everything():
    history = grown(InStore(), 3)
    save(history)

    assert StoreData(_Refusing(history.place.store)).fold() == history.state


def test_a_store_that_does_not_answer_is_no_store_without_checkpoints():
    """Else a moment of trouble would mean a request for every record."""
    history = grown(InStore(), 3)
    save(history)
    store = _Refusing(history.place.store)
    store.retryable = True

    with pytest.raises(StoreError):
        StoreData(store).fold()


def test_the_audit_reports_a_checkpoint_that_says_something_else(history):
    """It is whole, its hash is right, and the entries do not say so."""
    counts = dict(history.state.counts)
    name = min(counts)
    counts[name] = replace(counts[name], stored=1, duplicate=1)
    changed = {**history.state.changed, name: 1}
    wrong = save(history, replace(history.state, counts=counts, changed=changed))
    right = [each for each in history.place.data.checkpoints().names() if each != wrong]

    findings = audit(history.place.data, journal_closed=None, now_ms=0, pause=lambda: None).findings

    assert f"{wrong} disagrees with the ledger." in findings
    assert not any(name in finding for name in right for finding in findings)


def test_the_audit_does_not_believe_a_checkpoint(history, monkeypatch):
    monkeypatch.setattr("connector.write.checkpoint_start._usable", lambda *_: pytest.fail("was asked"))

    report = audit(history.place.data, journal_closed=None, now_ms=0, pause=lambda: None)

    assert report.captured_files == 6
    assert not any("checkpoint" in finding for finding in report.findings)


def test_the_audit_finds_what_is_no_checkpoint(history):
    put(history, "ledger/checkpoints/000000000001.parquet", b"")

    findings = audit(history.place.data, journal_closed=None, now_ms=0, pause=lambda: None).findings

    assert "ledger/checkpoints/000000000001.parquet is no checkpoint of the ledger." in findings
