from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import record

from connector.errors import LedgerError
from connector.events import FATES
from connector.write.ledger import (
    GENESIS,
    Counts,
    Entry,
    Fold,
    Output,
    changes_folder,
    decode,
    encode,
    entry_path,
    fold,
)


def _table(name: str, rows: int = 1) -> Output:
    return Output(f"tables/events/day=2026-11-27/{name}.parquet", rows, rows, 10, "ab", "0" * 16)


def _publish(name: str, stored: int = 2, **more):
    return record(name, stored=stored, outputs=(_table(name, stored),), **more)


def _append(root: Path, **change) -> Entry:
    """Write the next entry without a publisher."""
    state = fold(root)
    entry = Entry(state.number + 1, change.pop("kind", "publish"), state.sha256, 5, **change)
    path = entry_path(root, entry.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(entry))
    return entry


def test_an_empty_ledger_folds_to_nothing(tmp_path):
    assert fold(tmp_path) == Fold()


def test_an_entry_is_one_line_of_canonical_json_with_its_own_hash(tmp_path):
    _append(tmp_path, records=(_publish("größe"),))

    content = (tmp_path / "ledger/changes/000000000001.json").read_bytes()

    value = json.loads(content)
    assert content == json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
    assert (value["kind"], value["number"], value["previous"]) == ("publish", 1, GENESIS)
    assert len(value["entry_sha256"]) == 64
    assert {"captured_file", "identity", "seen_as", "attempt", "configuration", "suppression", "connector",
            "received", *FATES, "torn_bytes", "missing_seq", "corrupt_bytes", "outputs", "rejected_outputs",
            "duplicate_outputs", "committed_at_ms"} == set(value["records"][0])  # fmt: skip


def test_entries_come_back_as_they_were(tmp_path):
    entry = Entry(
        3, "rerun", "ab" * 32, 7, (_publish("a"),), ("tables/x",), (_table("c-3"),), {"a": Counts(1, 1)},
        {"a": "sha256:22"}, "new mapping",
    )  # fmt: skip

    assert decode(encode(entry), 3)[0] == entry


def test_an_entry_of_a_later_version_may_say_more():
    value = json.loads(encode(Entry(1, "publish", GENESIS, records=(_publish("a"),))))
    del value["entry_sha256"]
    value["records"][0]["ids"] = {"name": "ids/day=2026-11-27/a.parquet"}
    value["shard"] = 4
    content = _sealed(value)

    assert decode(content, 1)[0].records[0] == _publish("a")


def _sealed(value) -> bytes:
    def canonical(v) -> bytes:
        return json.dumps(v, sort_keys=True, separators=(",", ":")).encode()

    return canonical({**value, "entry_sha256": hashlib.sha256(canonical(value)).hexdigest()}) + b"\n"


def test_records_make_files_live_and_count(tmp_path):
    rejected = Output("rejected/day=2026-11-27/a.t.ndjson.gz", 1, 1, 5, "cd")
    _append(tmp_path, records=(_publish("a", rejected=1, rejected_outputs=(rejected,)), _publish("b", 3)))

    state = fold(tmp_path)

    assert set(state.tables) == {_table("a").name, _table("b").name}
    assert state.rejected[rejected.name].captured_file == "a"
    assert state.counts == {"a": Counts(3, 2, 1), "b": Counts(3, 3)}
    assert str(state.total) == (
        "received 6 = stored 5 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0"
    )


@pytest.mark.parametrize("kind", ["compaction", "a kind of the future"])
def test_any_kind_removes_adds_and_recounts(tmp_path, kind):
    _append(tmp_path, records=(_publish("a"), _publish("b")))
    _append(
        tmp_path, kind=kind, removes=(_table("a").name, _table("b").name), adds=(_table("c-2", 3),),
        files={"b": Counts(received=2, stored=1, duplicate=1)},
    )  # fmt: skip

    state = fold(tmp_path)

    assert set(state.tables) == {_table("c-2").name}
    assert state.tables[_table("c-2").name].captured_file is None
    assert state.removed == {_table("a").name: 2, _table("b").name: 2}
    assert state.counts["b"].duplicate == 1
    assert state.changed == {"b": 2}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=6),
    st.integers(0, 6),
)
@settings(deadline=None, max_examples=25)
def test_folding_on_from_any_entry_gives_the_same_and_the_equation_holds(counts, cut):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        part = Fold()
        for number, (stored, duplicate, unmatched) in enumerate(counts, 1):
            fates = {"stored": stored, "duplicate": duplicate, "unmatched": unmatched}
            _append(root, records=(record(f"f{number}", **fates),))
            if number == cut:
                part = fold(root)

        whole = fold(root)

        assert fold(root, part) == whole
    assert whole.number == len(counts)
    assert all(each.balanced for each in whole.counts.values())
    assert whole.total.balanced
    assert whole.total.received == sum(map(sum, counts))


def test_a_fold_continues_from_an_earlier_one(tmp_path):
    _append(tmp_path, records=(_publish("a"),))
    earlier = fold(tmp_path)
    _append(tmp_path, records=(_publish("b"),))
    _append(tmp_path, kind="compaction", removes=(_table("a").name,), adds=(_table("c-3", 2),))

    assert fold(tmp_path, earlier) == fold(tmp_path)
    assert set(earlier.tables) == {_table("a").name}


def test_a_missing_number_is_named(tmp_path):
    for name in "abc":
        _append(tmp_path, records=(_publish(name),))
    entry_path(tmp_path, 2).unlink()

    with pytest.raises(LedgerError, match="entry 2 is missing, entry 3 is there"):
        fold(tmp_path)


def test_a_ledger_that_became_shorter_is_noticed(tmp_path):
    _append(tmp_path, records=(_publish("a"),))
    earlier = fold(tmp_path)
    entry_path(tmp_path, 1).unlink()

    with pytest.raises(LedgerError, match="entry 1 is gone"):
        fold(tmp_path, earlier)


def test_any_byte_of_an_entry_that_is_edited_is_noticed(tmp_path):
    _append(tmp_path, records=(_publish("a"),))
    path = entry_path(tmp_path, 1)
    content = path.read_bytes()

    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :])
        with pytest.raises(LedgerError, match="entry 1 "):
            fold(tmp_path)


@pytest.mark.parametrize("more", [b" ", b"\n", b"{}"])
def test_added_bytes_are_noticed(tmp_path, more):
    _append(tmp_path, records=(_publish("a"),))
    path = entry_path(tmp_path, 1)
    path.write_bytes(path.read_bytes() + more)

    with pytest.raises(LedgerError, match="entry 1 "):
        fold(tmp_path)


def test_an_entry_edited_together_with_its_hash_breaks_the_chain(tmp_path):
    first = _append(tmp_path, records=(_publish("a"),))
    _append(tmp_path, records=(_publish("b"),))
    entry_path(tmp_path, 1).write_bytes(encode(replace(first, records=(_publish("a", 9),))))

    with pytest.raises(LedgerError, match=r"entry 2 does not (follow|continue)"):
        fold(tmp_path)


def test_an_entry_under_another_number_is_noticed(tmp_path):
    entry = _append(tmp_path, records=(_publish("a"),))
    entry_path(tmp_path, 1).write_bytes(encode(replace(entry, number=2)))

    with pytest.raises(LedgerError, match="entry 1 states the number 2"):
        fold(tmp_path)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"records": (record("a"),)}, "records a a second time"),
        ({"adds": (_table("a"),)}, "uses the name .* again"),
        ({"kind": "compaction", "removes": ("tables/x/day=1/y",)}, "which is not live"),
        ({"kind": "deletion", "files": {"z": Counts()}}, "recounts z"),
    ],
)
def test_an_entry_that_contradicts_those_before_it_is_named(tmp_path, change, what):
    _append(tmp_path, records=(_publish("a"),))
    _append(tmp_path, **change)

    with pytest.raises(LedgerError, match=f"entry 2 .*{what}"):
        fold(tmp_path)


def test_a_removed_name_is_never_used_again(tmp_path):
    _append(tmp_path, records=(_publish("a"),))
    _append(tmp_path, kind="rerun", removes=(_table("a").name,))
    _append(tmp_path, kind="rerun", adds=(_table("a"),))

    with pytest.raises(LedgerError, match="entry 3 uses the name"):
        fold(tmp_path)


def test_what_is_no_entry_is_not_folded(tmp_path):
    _append(tmp_path, records=(_publish("a"),))
    (changes_folder(tmp_path) / ".000000000002.json.swp").write_bytes(b"")

    assert fold(tmp_path).number == 1
