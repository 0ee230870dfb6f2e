"""What is in a checkpoint, and that folding from one is folding from the beginning. C40."""

from __future__ import annotations

import gzip
import json
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.write.ledger_histories import PLACES, History, InStore, Step, grown, steps

from connector.write import checkpoint
from connector.write.checkpoint import covered, decode, encode
from connector.write.ledger import Fold


def assert_same(one: Fold, other: Fold) -> None:
    for each in fields(Fold):
        if each.compare:
            assert getattr(one, each.name) == getattr(other, each.name), each.name
    assert one.origin.seen == other.origin.seen


@pytest.mark.parametrize("where", PLACES)
@settings(deadline=None, max_examples=60)
@given(taken=steps, cuts=st.sets(st.integers(0, 14), max_size=3))
def test_a_checkpoint_and_what_came_later_is_everything_field_by_field(
    where: str, taken: list[tuple[Step, int]], cuts: set[int]
):
    with tempfile.TemporaryDirectory() as folder:
        history = History(PLACES[where](Path(folder)))
        data, shelf = history.place.data, history.place.data.checkpoints()
        written = []
        for at, (step, seed) in enumerate(taken):
            history.take(step, seed)
            if at in cuts:
                name, content = encode(history.state)
                assert_same(decode(name, content), history.state)
                shelf.create(name, content)
                written.append(name)

        whole, begun = data.proven(), data.fold()

        assert begun.origin.checkpoint == (max(written) if written else None)
        assert whole.origin.checkpoint is None
        assert_same(begun, whole)
        assert_same(history.state, whole)
        assert encode(begun) == encode(whole) == encode(history.state)
        assert decode(*encode(Fold())) == Fold()


def test_it_is_json_lines_closed_by_a_hash_and_called_after_it():
    state = grown(InStore(), 4).state

    name, content = encode(state)

    lines = gzip.decompress(content).splitlines()
    first, *_, last = map(json.loads, lines)
    assert first[:2] == ["checkpoint", 1]
    assert first[3:5] == [1, state.sha256]
    assert last[0] == "end"
    assert name == f"ledger/checkpoints/000000000001-000000000004-{last[1][:16]}.json.gz"
    assert covered(name) == state.entries == 5


@pytest.mark.parametrize("name", ["ledger/checkpoints/1-1-ab.json.gz", "x", "ledger/checkpoints/",
                                  "ledger/checkpoints/000000000001.parquet"])  # fmt: skip
def test_another_name_is_that_of_no_checkpoint(name):
    assert covered(name) is None
    assert decode(name, encode(Fold()).content) is None


def test_c40_one_that_is_torn_anywhere_or_has_more_behind_it_is_none():
    name, content = encode(grown(InStore(), 4).state)

    assert decode(name, content) is not None
    for length in range(len(content)):
        assert decode(name, content[:length]) is None
    for more in (b"x", gzip.compress(b'["removed","x",1]\n')):
        assert decode(name, content + more) is None


def test_a_bit_that_is_edited_makes_it_none_or_changes_nothing():
    """What counts is what is packed: gzip can say the same in several ways."""
    state = grown(InStore(), 4).state
    name, content = encode(state)

    for at in range(len(content)):
        for bit in (0x01, 0x80):
            found = decode(name, content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            assert found is None or found == state


def test_the_same_lines_under_another_name_are_none():
    name, content = encode(grown(InStore(), 4).state)

    assert decode(name.replace("000000000004", "000000000005"), content) is None
    assert decode(name.replace("000000000001-", "000000000002-"), content) is None


@pytest.mark.parametrize("change", ["format", "fields"])
def test_c40_another_version_makes_none_of_it(change, monkeypatch):
    state = grown(InStore(), 4).state
    with monkeypatch.context() as later:
        if change == "format":
            later.setattr(checkpoint, "FORMAT", 2)
        else:
            later.setattr(checkpoint, "_FIELDS", {**checkpoint._FIELDS, "output": ("name", "shard")})
        encoded = encode(state)
        assert decode(*encoded) == state

    assert decode(*encoded) is None


def test_what_a_fold_was_made_from_is_no_part_of_what_it_states():
    state = grown(InStore(), 3).state

    assert state.origin.seen
    assert replace(state, origin=Fold().origin) == state
