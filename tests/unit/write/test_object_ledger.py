"""The ledger as objects: names, records, intents, and the fold of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import record
from object_stores import MemoryStore, Watched

from connector.errors import LedgerError
from connector.write.entries import Counts, Entry, Output, decode_record, encode, encode_record
from connector.write.ledger import GENESIS, Fold
from connector.write.object_ledger import (
    Intent,
    ObjectLedger,
    captured_file_of,
    change_name,
    intent_name,
    record_name,
)

FRAMES = "20261121T215204123Z-web1-4711-7f3a9c21"


def _table(name: str, rows: int = 2) -> Output:
    return Output(f"tables/events/day=2026-11-27/{name}.parquet", rows, rows, 10, "ab", "0" * 16)


def _record(name: str, **more):
    return record(name, stored=2, outputs=(_table(name),), **more)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def _add(store: MemoryStore, *names: str) -> None:
    for name in names:
        assert store.create(record_name(name), encode_record(_record(name), "attempt-1"))


@pytest.mark.parametrize(
    ("captured_file", "name"),
    [
        (FRAMES, f"ledger/files/2026-11-21/{FRAMES}.json"),
        ("h-00ff", "ledger/files/undated/h-00ff.json"),
        ("s-20261121T2152", "ledger/files/undated/s-20261121T2152.json"),
    ],
)
def test_the_place_of_a_record_follows_from_the_name_of_the_captured_file(captured_file, name):
    assert record_name(captured_file) == name
    assert captured_file_of(name) == captured_file


@pytest.mark.parametrize(
    "name",
    ["ledger/files/h-1.json", f"ledger/files/undated/{FRAMES}.json", "ledger/files/undated/h-1.json.bak",
     "ledger/files/2026-11-21/h-1.json"],
)  # fmt: skip
def test_an_object_elsewhere_is_no_record(store, name):
    assert captured_file_of(name) is None
    store.put(name, b"{}")

    ledger = ObjectLedger(store)

    assert ledger.fold() == Fold()
    assert list(ledger.strays()) == [f"{name} is no ledger record."]


def test_a_record_is_one_line_of_canonical_json_with_its_own_hash_and_attempt():
    content = encode_record(_record("größe"), "ab12")

    value = json.loads(content)
    assert content == json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    assert (value["attempt_id"], len(value["entry_sha256"])) == ("ab12", 64)
    assert decode_record(content, "größe") == (_record("größe"), "ab12", value["entry_sha256"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "unreadable"),
        (encode_record(_record("h-1"), "a").replace(b'"stored":2', b'"stored":3'), "altered"),
        (encode_record(_record("h-1"), "a")[:-1], "altered"),
        (encode_record(_record("h-2"), "a"), "is that of h-2"),
        (encode(Entry(1, "publish", GENESIS)), "unreadable"),
    ],
)
def test_a_record_that_is_not_what_was_written_is_refused(store, content, why):
    store.put(record_name("h-1"), content)

    with pytest.raises(LedgerError, match=f"the ledger record of h-1 .*{why}"):
        ObjectLedger(store).record("h-1")
    with pytest.raises(LedgerError, match="h-1"):
        ObjectLedger(store).fold()


def test_an_empty_store_folds_to_nothing(store):
    assert ObjectLedger(store).fold() == Fold()
    assert ObjectLedger(store).record("h-1") is None


def test_records_make_files_live_and_count(store):
    rejected = Output("rejected/day=2026-11-27/a.t.ndjson.gz", 1, 1, 5, "cd")
    told = replace(_record("h-1"), received=3, rejected=1, rejected_outputs=(rejected,))
    store.put(record_name("h-1"), encode_record(told, "attempt-1"))
    _add(store, FRAMES)

    state = ObjectLedger(store).fold()

    assert set(state.tables) == {_table("h-1").name, _table(FRAMES).name}
    assert state.rejected[rejected.name].listed_in == "the ledger record of h-1"
    assert str(state.total) == "received 5 = stored 4 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0"
    assert (state.number, state.entries, state.sha256) == (0, 2, GENESIS)
    assert set(state.objects) == {"h-1", FRAMES}


def test_changes_are_folded_over_the_records(store):
    _add(store, "h-1", "h-2")
    change = Entry(
        1, "compaction", GENESIS, 5, (), (_table("h-1").name, _table("h-2").name), (_table("c-1", 3),),
        {"h-2": Counts(received=2, stored=1, duplicate=1)},
    )  # fmt: skip
    store.put(change_name(1), encode(change))

    state = ObjectLedger(store).fold()

    assert {name: live.listed_in for name, live in state.tables.items()} == {
        _table("c-1").name: "ledger entry 1"
    }
    assert state.total == Counts(received=4, stored=3, duplicate=1)
    assert (state.number, state.entries) == (1, 3)


def test_a_missing_change_is_found(store):
    store.put(change_name(2), encode(Entry(2, "compaction", GENESIS)))

    with pytest.raises(LedgerError, match="ledger entry 1 is missing"):
        ObjectLedger(store).fold()


def test_an_object_beside_the_changes_is_a_stray(store):
    store.put("ledger/changes/000000000001.json.bak", b"")

    assert list(ObjectLedger(store).strays()) == ["ledger/changes/000000000001.json.bak is no ledger entry."]


def test_folding_on_fetches_only_what_is_new(store):
    _add(store, "h-1", "h-2")
    before = ObjectLedger(store).fold()
    _add(store, "h-3")
    watched = Watched(store)

    after = ObjectLedger(watched).fold(before)

    assert watched.calls.count("read") == 1
    assert after == ObjectLedger(store).fold()
    assert ObjectLedger(store).fold(after) is after


def test_a_record_that_is_gone_is_found(store):
    _add(store, "h-1", "h-2")
    before = ObjectLedger(store).fold()
    store.delete([record_name("h-1")])

    with pytest.raises(LedgerError, match="the ledger record of h-1 is gone"):
        ObjectLedger(store).fold(before)


def test_a_name_that_two_records_claim_is_found(store):
    _add(store, "h-1")
    twice = replace(_record("h-2"), outputs=(_table("h-1"),))
    store.put(record_name("h-2"), encode_record(twice, "attempt-2"))

    with pytest.raises(LedgerError, match=r"the ledger record of h-2 uses the name .*h-1.* again"):
        ObjectLedger(store).fold()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["h-1", "h-2", FRAMES, "s-9"]), unique=True), st.integers(0, 4))
def test_folding_in_two_steps_is_folding_at_once(names, first):
    store = MemoryStore()
    _add(store, *names[:first])
    begun = ObjectLedger(store).fold()
    _add(store, *names[first:])

    assert ObjectLedger(store).fold(begun) == ObjectLedger(store).fold()


def test_names_that_changes_added_are_known_and_each_change_is_read_once(store):
    _add(store, "h-1")
    store.put(change_name(1), encode(Entry(1, "rerun", GENESIS, adds=(_table("c-1"),))))
    watched = Watched(store)
    ledger = ObjectLedger(watched)

    assert ledger.added_by_changes() == ledger.added_by_changes() == {_table("c-1").name}
    assert watched.calls.count("read") == 1


def test_intents_come_back_as_they_were(store):
    intent = Intent("ab12", "h-1", (_table("h-1").name,), 3)
    store.put(intent_name("ab12"), intent.encoded())

    ledger = ObjectLedger(store)
    (listed,) = ledger.intents(ledger.listed_intents())

    assert listed.intent == intent
    assert listed.info.modified_ms == store.now_ms


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b'{"attempt_id":"a","captured_file":"h-1","names":[1],"suppression":0}',
     Intent("a", "h-1", ("ledger/files/undated/h-1.json",)).encoded()],
)  # fmt: skip
def test_what_no_attempt_would_write_is_no_intent(content):
    assert Intent.decoded(content) is None
