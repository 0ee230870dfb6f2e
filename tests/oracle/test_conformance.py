"""Our engine gives what Segment's own gives, on inputs that Hypothesis draws; always the same ones here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.oracle import running
from tests.oracle.differences import Tally, first_difference
from tests.oracle.kinds import KINDS, same
from tests.oracle.oracle import Oracle

oracle = running.oracle

_EXAMPLES = {"transform": 400, "liquid": 150, "match": 180, "parse": 250, "fields": 200, "mixpanel": 150}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_both_engines_give_the_same(oracle: Oracle, name: str) -> None:
    tally = Tally()

    difference = first_difference(KINDS[name], oracle, tally, examples=_EXAMPLES[name])

    assert difference is None, f"\n{difference}"
    assert 0 < tally.refused < tally.jobs, "jobs of both fates are drawn"


def test_an_engine_that_differs_is_found_out_with_a_small_job(oracle: Oracle) -> None:
    wrong = replace(KINDS["parse"], ours=lambda _: {"failed": "Error", "message": "nothing parses"})

    difference = first_difference(wrong, oracle, Tally(), examples=100)

    assert difference is not None
    assert len(difference.job["query"]) < 12


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"undefined": True}, {"value": None}),
        ({"value": {"a": 1}}, {"value": {"a": True}}),
        ({"value": {"a": None}}, {"value": {}}),
        ({"value": 1}, {"value": "1"}),
        ({"value": 1}, {"failed": "Error", "message": ""}),
        ({"failed": "Error", "message": "a"}, {"failed": "Error", "message": "b"}),
        ({"failed": "TypeError", "message": "a"}, {"value": 1}),
    ],
)
def test_values_and_words_of_refusals_count(expected: dict[str, object], got: dict[str, object]) -> None:
    assert not same(expected, got)


def test_order_of_keys_form_of_numbers_and_javascripts_own_words_do_not_count() -> None:
    assert same({"value": {"a": 1, "b": 2.0}}, {"value": {"b": 2, "a": 1.0}})
    assert same({"failed": "TypeError", "message": "x is no function"}, {"failed": "Error", "message": "no"})
