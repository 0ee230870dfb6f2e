"""Steps and conditions as text: what they find, and what is refused."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.report.clock import Clock
from connector.report.compose import Composition, expression
from connector.report.filters import Step, row_filter, step_of, value_of
from connector.report.functions import ENGINES
from connector.report.render import render
from tests.report.stores import at, desk, row

RANGE = {"first_day": "2010-01-01", "last_day": "2100-01-01", "source": None, "as_of_ms": None}
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1
)

KEY_LETTERS = st.characters(codec="utf-8", exclude_characters="'\"\\[]*", exclude_categories=("Cs", "Cc"))


def found(store, condition) -> list[str]:
    """``row_id`` of the rows that fulfil a condition."""
    composition = Composition(RANGE | {"wanted": condition}, store.given)
    composition.define("kept", _template())
    return sorted(one["row_id"] for one in store.rows(composition.query("kept"), Clock()))


def _template():
    return expression("SELECT row_id FROM resolved WHERE $wanted")


STORE = [
    row("Product Viewed", "2026-03-01 10:00", "ann", row_id="toy", category="Toys", price=25.0, quantity=2.0),
    row("Product Viewed", "2026-03-01 23:00", "ann", row_id="book", category="Books", price=10.0),
    row("Search", "2026-03-02 10:00", "ann", row_id="none", properties='{"size": "XL", "in": {"a b": 7}}'),
    row("page", "2026-03-02 11:00", "ann", row_id="page", page_name="Home"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("category = 'Toys'", "toy"),
        ("CATEGORY IN ('Toys', 'Books') AND NOT price > 20", "book"),
        ("price BETWEEN 10 AND 25.0", "book toy"),
        ("category LIKE '_oo%' OR page_name LIKE 'Ho%'", "book page"),
        ("price IS NULL", "none page"),
        ("price * quantity - 1 >= 49", "toy"),
        ("price / 0 IS NULL AND price IS NOT NULL", "book toy"),
        ("category IS DISTINCT FROM 'Toys' AND event <> 'page'", "book none"),
        ("CASE WHEN price > 20 THEN 'dear' ELSE 'cheap' END = 'dear'", "toy"),
        ("length(coalesce(category, 'nothing')) = 5", "book"),
        ("properties ->> '$.size' = 'XL'", "none"),
        ("properties ->> '$.in.\"a b\"' IN ('7', '8')", "none"),
        ("ms_of(timestamp) >= local_ms(ms_of(received_at)) - 1000", "book none page toy"),
        ("CAST(price AS DECIMAL(10, 2)) = 25 -- and nothing else", "toy"),
        ("greatest(price, 20) = 20", "book none page"),
    ],
)
def test_a_condition_finds_the_rows_it_describes(text, rows):
    assert found(desk(STORE), row_filter(text, "where")) == rows.split()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("price > 20; DROP TABLE events", "no condition in SQL"),
        ("price > 20; price > 30", "one condition"),
        ("", "one condition"),
        ("price >", "no condition in SQL"),
        ("price", "a number stands where a condition is needed"),
        ("category = 5", "a text does not go with a number"),
        ("timestamp > '2026-01-01'", "a moment does not go with a text"),
        ("CAST(category AS DOUBLE) > 5", "a text stands where a number is needed"),
        ("price IN (SELECT 1)", "not allowed"),
        ("EXISTS (SELECT 1)", "exists is not allowed"),
        ("count(*) > 1", "count is not allowed"),
        ("sum(price) OVER () > 1", "window is not allowed"),
        ("random() > 0.5", "rand is not allowed"),
        ("read_text('/etc/passwd') = ''", "not allowed"),
        ("upper(category) = 'TOYS'", "upper is not allowed"),
        ("categry = 'Toys'", "events has no column categry; did you mean category?"),
        ("other.price > 1", "column is not allowed in this form"),
        ("price = $from_ms", "placeholder is not allowed"),
        ("categories IS NULL", "categories is a list"),
        ("category LIKE page_name", "the pattern of LIKE"),
        ("category ->> '$.a' = 'b'", "->> reads properties, context or envelope"),
        ("properties ->> '$.*' = 'b'", "a path of keys"),
        ("properties ->> page_name = 'b'", "a path of keys"),
        ("price IS TRUE", "IS goes with NULL only"),
        ("(price > 1) > (price > 2)", "no order"),
        ("CAST(price AS VARCHAR) = '1'", "CAST goes to DOUBLE"),
        ("price > 1 " + "AND price > 1 " * 100, "too deeply"),
        (f"category = '{'x' * 30_000}'", "at most 20000 characters"),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_place_and_the_rule(text, rule):
    with pytest.raises(ConfigError) as refused:
        row_filter(text, "steps.2")

    assert str(refused.value).startswith("steps.2: ")
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "price > 20",
        "category LIKE 'a\\b'",
        "greatest(price, 1) / 2 > 1",
        "properties ->> '$.a b' = 'x'",
        "local_day(ms_of(timestamp)) % 7 = 3",
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_a_text_for_what_is_allowed(text, engine):
    composition = Composition(RANGE | {"wanted": row_filter(text, "where")}, ("events_raw",))
    composition.define("kept", _template(), tables={"resolved": "events_raw"})

    assert "WHERE" in render(composition.query("kept"), engine)


def test_a_step_is_an_event_and_after_where_a_condition():
    assert step_of(" Product Viewed ", "steps.1") == Step("Product Viewed")
    step = step_of("Product Viewed WHERE category = 'somewhere where'", "steps.1")
    assert step.event == "Product Viewed"
    assert step.filter == row_filter("category = 'somewhere where'", "")
    with pytest.raises(ConfigError, match=r"steps\.1: a step begins with the name of an event"):
        step_of(" where price > 1", "steps.1")


def test_a_step_may_be_a_page():
    assert found(desk(STORE), step_of("page where page_name = 'Home'", "steps.1").condition()) == ["page"]


@settings(max_examples=30, deadline=None)
@given(WORDS, WORDS, WORDS)
def test_no_event_and_no_value_can_break_out_of_its_quotes(event, value, other):
    step = event.strip()
    assume(step and " where " not in f" {' '.join(step.split()).lower()} ")
    told = value.replace("'", "''")
    store = desk(
        [
            row(step, at("2026-03-01 10:00"), "ann", row_id="sought", category=value),
            row(step + other, at("2026-03-01 10:00"), "ann", row_id="event", category=value),
            row(step, at("2026-03-01 10:00"), "ann", row_id="value", category=value + other),
        ]
    )

    assert found(store, step_of(f"{step} where category = '{told}'", "steps.1").condition()) == ["sought"]


@settings(max_examples=30, deadline=None)
@given(st.text(KEY_LETTERS, min_size=1))
def test_a_key_of_the_properties_is_found_whatever_its_letters(key):
    store = desk([row("page", 0, "ann", row_id="sought", properties=orjson.dumps({key: "v"}).decode())])

    value, kind = value_of(f"properties ->> '$.\"{key}\"'", "hold")

    assert kind == "text"
    assert found(store, value.eq("v")) == ["sought"]


def test_a_property_is_a_column_or_a_key_of_the_properties():
    assert value_of("Price", "hold")[1] == "number"
    with pytest.raises(ConfigError, match="hold: a property is a column"):
        value_of("price + 1", "hold")
