"""``@liquid``: what holds beside the vectors, and every known difference to LiquidJS 10.27.2."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping import MappingError, compile_mapping

EVENT = {"event": "Order Completed", "s": "v", "n": 5, "card": "4111-1111", "l": ["a"]}


def rendered(template: Any, event: Any = EVENT) -> Any:
    return compile_mapping({"r": {"@liquid": template}})(event)["r"]


def refusal(template: Any, event: Any = EVENT) -> str:
    run = compile_mapping({"r": {"@liquid": template}})
    with pytest.raises(MappingError) as failed:
        run(event)
    return str(failed.value)


def test_a_template_has_at_most_1000_utf16_units() -> None:
    text = "liquid template values are limited to 1000 characters"

    assert rendered("x" * 1000) == "x" * 1000
    assert refusal("x" * 1001) == text
    assert refusal("😀" * 501) == text


def test_a_template_that_is_no_text_is_refused_where_the_validator_does_not_look() -> None:
    run = compile_mapping({"list": [{"@liquid": 5}]})

    with pytest.raises(MappingError, match="liquid template value must be a string"):
        run({})


def test_a_template_that_never_runs_may_be_wrong() -> None:
    unused = {"@if": {"exists": {"@path": "$.no"}, "then": {"@liquid": "{% for %}"}, "else": "fine"}}

    assert compile_mapping({"r": unused})({}) == {"r": "fine"}


def test_renderings_share_nothing() -> None:
    run = compile_mapping({"r": {"@liquid": "{% increment i %}{% assign s = n %}{{ s }}"}})

    assert run(EVENT) == run(EVENT) == {"r": "05"}


def test_a_template_cannot_fill_the_memory() -> None:
    doubling = "{% assign s = s | append: s %}" * 30

    assert refusal(doubling) == "memory alloc limit exceeded"
    assert refusal("{{ (1..999999999) }}") == "memory alloc limit exceeded"
    long = {"t": "x" * 10_001}
    for multiplied in ("{{ t | replace: 'x', t }}", "{{ t | split: '' | join: t }}", "{{ 0 | date: t }}"):
        assert refusal(multiplied, long) == "memory alloc limit exceeded, line:1, col:1"


def test_nested_conditions_may_be_as_deep_as_the_template_is_long() -> None:
    assert rendered("{% if s %}" * 40 + "y" + "{% endif %}" * 40) == "y"


def test_markup_that_never_ends_is_looked_through_once() -> None:
    hostile = {"t": "<" * 300_000 + "<script" * 1000}

    assert rendered("{{ t | strip_html }}", hostile) == hostile["t"]


def test_an_error_of_a_rendering_does_not_quote_the_event() -> None:
    for template in ("{{ card | slice: 1, 2, 3, 4 }}", "{{ card | date: '%Y', card }}"):
        assert "4111" not in refusal(template)


@settings(deadline=None, max_examples=100)
@given(st.text("{}%|:'\". abcn0123[]", max_size=40))
def test_any_template_is_rendered_or_refused_by_name(template: str) -> None:
    run = compile_mapping({"r": {"@liquid": template}})
    try:
        result = run(EVENT)["r"]
    except MappingError as refused:
        result = str(refused) or None

    assert isinstance(result, str)


class TestKnownDifferences:
    """What LiquidJS does is said in each test; ``docs/conformance.md`` lists them."""

    @pytest.mark.parametrize("template", ["{{ 'now' | date: '%Y' }}", "{{ 'today' | date }}"])
    def test_the_clock_is_refused_and_not_read(self, template: str) -> None:
        expected = "@liquid cannot read the clock: now and today are not supported, line:1, col:1"
        assert expected == refusal(template)

    def test_a_time_zone_is_refused_and_not_applied(self) -> None:
        assert "time zone is not supported" in refusal("{{ 0 | date: '%H', 'Europe/Berlin' }}")

    @pytest.mark.parametrize("name", ["slugify", "base64_encode", "base64_decode", "uri_escape", "sample"])
    def test_these_filters_are_refused_and_not_run(self, name: str) -> None:
        assert f'filter "{name}" is not supported by this version' in refusal(f"{{{{ s | {name} }}}}")

    @pytest.mark.parametrize("tag", ["block x", "break", "continue"])
    def test_these_tags_are_refused_and_not_run(self, tag: str) -> None:
        assert "is not supported by this version, line:1, col:1" in refusal(f"{{% {tag} %}}")

    @pytest.mark.parametrize("template", ["{{ s == 'v' }}", "{{ s or n }}", "{{ not s }}"])
    def test_an_operator_in_an_output_is_refused_and_not_calculated(self, template: str) -> None:
        assert refusal(template).startswith("@liquid: ")

    def test_a_filter_in_a_condition_is_refused(self) -> None:
        assert refusal("{% if l | size == 1 %}y{% endif %}").startswith("@liquid: ")

    @pytest.mark.parametrize("template", ["{{ s n }}", "{{ 'a' 'b' }}"])
    def test_words_too_many_are_refused_and_not_ignored(self, template: str) -> None:
        assert refusal(template).startswith("@liquid: ")

    def test_an_argument_too_many_is_refused_and_not_ignored(self) -> None:
        assert refusal("{{ s | upcase: 1 }}").startswith("@liquid: ")

    def test_a_backslash_in_a_text_is_itself_and_no_escape(self) -> None:
        assert rendered("{{ 'a\\nb' }}") == "a\\nb"

    def test_a_plus_before_a_number_is_refused(self) -> None:
        assert refusal("{{ +1 }}").startswith("@liquid: ")

    def test_unlike_is_written_in_two_ways_and_not_in_one(self) -> None:
        assert rendered("{% if s <> 'x' %}y{% endif %}") == "y"

    def test_a_split_into_characters_does_not_cut_them_in_halves(self) -> None:
        assert rendered("{{ t | split: '' | size }}", {"t": "ñ😀"}) == "2"

    @pytest.mark.parametrize("template", ["{{", "{% if s %}", "{{ }}", "{% if %}x{% endif %}"])
    def test_errors_of_syntax_have_words_of_their_own(self, template: str) -> None:
        assert refusal(template).startswith("@liquid: ")

    def test_cycle_prints_a_number_as_it_was_written(self) -> None:
        assert rendered("{% cycle 2.0 %}") == "2.0"

    def test_a_counter_does_not_change_the_event(self) -> None:
        assert rendered("{% increment s %}{{ s }}") == "0v"

    def test_ten_million_characters_are_the_limit_and_not_a_hundred(self) -> None:
        assert "limit exceeded" in refusal("{% assign s = s | append: s %}" * 24)
