"""Profile operations folded into current values."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.report.profiles import Operation, fold


def folded(*operations):
    """Operations a second apart."""
    return fold(
        Operation(kind, values, time_ms=number * 1_000) for number, (kind, values) in enumerate(operations)
    )


def test_set_overwrites_and_null_takes_away():
    assert folded(("set", {"city": "Oslo", "plan": "a"}), ("set", {"city": "Rome", "plan": None})) == {
        "city": "Rome"
    }


def test_set_once_writes_only_what_is_absent_and_again_after_an_unset():
    once = ("set_once", {"first_page": "/b"})

    assert folded(("set", {"first_page": "/a"}), once) == {"first_page": "/a"}
    assert folded(("set", {"first_page": "/a"}), ("unset", ["first_page"]), once) == {"first_page": "/b"}


def test_add_counts_an_absent_number_as_0_and_leaves_out_what_is_no_number():
    assert folded(("add", {"orders": 1}), ("add", {"orders": 2, "name": "x"})) == {"orders": 3}
    assert folded(("set", {"name": "Ann"}), ("add", {"name": 1})) == {"name": "Ann"}
    assert folded(("set", {"vip": True}), ("add", {"vip": 1})) == {"vip": True}
    assert {"spent": Decimal("0.3")} == folded(("set", {"spent": Decimal("0.1")}), ("add", {"spent": 0.2}))


def test_union_appends_what_is_missing_append_always_and_remove_takes_all_equal_items():
    assert folded(("union", {"tags": ["a"]}), ("union", {"tags": ["b", "a", "b"]})) == {"tags": ["a", "b"]}
    assert folded(("append", {"tags": "a"}), ("append", {"tags": "a"})) == {"tags": ["a", "a"]}
    assert folded(("set", {"tags": ["a", "b", "a"]}), ("remove", {"tags": "a"})) == {"tags": ["b"]}
    assert folded(("set", {"tags": "a"}), ("append", {"tags": "b"}), ("union", {"tags": "b"})) == {
        "tags": "a"
    }


def test_one_is_one_point_zero_and_is_not_true():
    assert folded(("union", {"seen": [1]}), ("union", {"seen": [1.0, True, 1]})) == {"seen": [1, True]}
    assert folded(("set", {"seen": [[1], {"a": 1.0}, {"a": True}]}), ("remove", {"seen": {"a": 1}})) == {
        "seen": [[1], {"a": True}]
    }


def test_delete_leaves_nothing_and_what_comes_later_starts_anew():
    assert folded(("set", {"plan": "a", "n": 1}), ("delete", ()), ("set_once", {"plan": "b"})) == {
        "plan": "b"
    }


def test_operations_act_by_event_time_and_those_of_one_moment_by_arrival():
    late = Operation("set", {"city": "Oslo"}, time_ms=1, arrival=(9,))
    first = Operation("set", {"city": "Rome"}, time_ms=2, arrival=(5,))
    second = Operation("set", {"city": "Bonn"}, time_ms=2, arrival=(6,))

    assert fold([second, late, first]) == {"city": "Bonn"}


names = st.sampled_from(("a", "b"))
values = st.sampled_from((1, 2.5, True, "x", None, ["x"], ["x", 1, "x"], {"k": [1]}))
operations = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(("set", "set_once", "add", "union", "append", "remove")),
            st.dictionaries(names, values),
        ),
        st.tuples(st.just("unset"), st.lists(names)),
        st.tuples(st.just("delete"), st.just(())),
    ).map(lambda one: Operation(*one)),
    max_size=12,
)


@given(operations, st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_the_program_does_not_matter(ops, shuffled):
    timed = [op._replace(time_ms=at // 3, arrival=(at,)) for at, op in enumerate(ops)]
    before = json.dumps(timed)
    mixed = list(timed)
    shuffled.shuffle(mixed)

    assert json.dumps(fold(timed)) == json.dumps(fold(mixed))
    assert before == json.dumps(timed)


@given(operations)
def test_what_was_folded_is_the_start_of_what_follows(ops):
    for cut in range(len(ops)):
        start = Operation("set", fold(ops[:cut]))
        assert fold(ops) == fold([start, *ops[cut:]])


@pytest.mark.parametrize("kind", ["set", "set_once", "union", "unset", "delete"])
@given(before=operations, after=st.dictionaries(names, values))
def test_said_twice_is_said_once(kind, before, after):
    told = list(after) if kind == "unset" else after
    operation = Operation(kind, told)

    assert json.dumps(fold([*before, operation])) == json.dumps(fold([*before, operation, operation]))
