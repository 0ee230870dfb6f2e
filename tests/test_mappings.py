"""The shipped mappings hold what the cases beside them say, and ``connector check`` sees when they do not."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector.cases import Case, differences, public_outcome, read_cases
from connector.commands import check
from connector.config import load_settings
from connector.errors import ConfigError
from connector.events import Outcome, Rejected, Row, Violation
from connector.wiring import DryRun, dry_run, read_document

MAPPINGS = Path(__file__).parents[1] / "mappings"
SHIPPED = sorted(path for path in MAPPINGS.glob("*.yaml") if not path.stem.endswith(".cases"))
EVENT: dict[str, Any] = {"type": "track", "event": "Product Viewed", "messageId": "m", "userId": "u"}


@cache
def configured_by(path: Path) -> DryRun:
    return dry_run(load_settings(mapping=str(path)))


def faults_of(case: Case, path: Path) -> list[str]:
    """What ``connector check`` would print of one case."""
    configured = configured_by(path)
    tables = {table.name: table for table in configured.tables}
    return [str(difference) for difference in differences(case, configured.pipeline, tables)]


def cases_beside(path: Path) -> list[Case]:
    return read_cases(read_document(path.with_name(f"{path.stem}.cases.yaml")), path.stem)


@pytest.mark.parametrize(
    ("path", "case"),
    [
        pytest.param(path, case, id=f"{path.stem}: {case.name}")
        for path in SHIPPED
        for case in cases_beside(path)
    ],
)
def test_each_case_holds(path: Path, case: Case) -> None:
    assert faults_of(case, path) == []


def test_names_of_cases_are_told_apart() -> None:
    for path in SHIPPED:
        names = [case.name for case in cases_beside(path)]
        assert len(set(names)) == len(names) > 0


def test_the_command_runs_the_same_cases(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(load_settings(), [str(MAPPINGS)]) == 0

    said = capsys.readouterr().out.replace("\n", " ")
    for path in SHIPPED:
        assert f"{len(cases_beside(path))} of {len(cases_beside(path))} cases hold" in said


def test_a_case_that_does_not_hold_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "lake.yaml"
    mapping.write_text((MAPPINGS / "ecommerce.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    mapping.with_name("lake.cases.yaml").write_text(
        "- name: views\n"
        "  event: {type: track, event: Product Viewed, userId: u}\n"
        "  expect: [{table: events, row: {event: Product Clicked}}]\n",
        encoding="utf-8",
    )

    assert check.run(load_settings(), [str(mapping)]) == 1
    captured = capsys.readouterr()
    assert "0 of 1 cases hold" in captured.out.replace("\n", " ")
    assert "views" in captured.err


def found(expect: list[Any], event: Any = EVENT) -> list[str]:
    (case,) = read_cases([{"name": "a", "event": event, "expect": expect}], "here")
    return faults_of(case, MAPPINGS / "ecommerce.yaml")


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ([], "row[0]: expected no row, got events Product Viewed"),
        ([{"table": "events"}] * 2, "expect[1]: expected events, got no row"),
        ([{"table": "profiles"}], "expect[0].table: expected profiles, got events Product Viewed"),
        (
            [{"table": "events", "row": {"event": "A"}}],
            'expect[0].row.event: expected "A", got "Product Viewed"',
        ),
        ([{"table": "events", "row": {"price": "5"}}], 'expect[0].row.price: expected "5", got null'),
        (
            [{"table": "events", "absent": ["event"]}],
            'expect[0].row.event: expected null, got "Product Viewed"',
        ),
        (
            [{"table": "events", "absent": ["pric"]}],
            "expect[0].row.pric: expected a column of events, got no such column",
        ),
        (
            [{"rejected": {"code": "event_missing"}}],
            "expect[0]: expected rejected event_missing, got events Product Viewed",
        ),
    ],
)
def test_a_difference_is_told_in_one_line(expect: list[Any], difference: str) -> None:
    assert found(expect) == [difference]


def test_a_rejection_in_place_of_a_row_is_told() -> None:
    assert found([{"table": "events"}], {"type": "track"}) == [
        "expect[0].table: expected events, got rejected event_missing"
    ]


def test_an_event_that_nobody_subscribes_to_gives_nothing() -> None:
    unmatched = {"type": "track", "event": "A"}
    (case,) = read_cases([{"name": "a", "event": unmatched, "expect": [{"table": "events"}]}], "here")

    told = differences(case, lambda _: Outcome("unmatched"), {})

    assert [str(each) for each in told] == ["expect[0]: expected events, got no row"]


RECORD = Row("import", {"event": "A", "properties": {"time": 1, "list": [{"a": 1}], "deep": {"b": None}}})


@pytest.mark.parametrize(
    ("row", "absent", "difference"),
    [
        ({"properties": {"time": 1}}, [], None),
        ({"properties": {"deep": {"b": None}}}, ["properties.deep.c", "event.deep"], None),
        ({"properties": {"deep": {"c": 1}}}, [], "expect[0].row.properties.deep.c: expected 1, got nothing"),
        ({"properties": {"list": [{}]}}, [], 'expect[0].row.properties.list: expected [{}], got [{"a":1}]'),
        ({}, ["properties.deep.b"], "expect[0].row.properties.deep.b: expected nothing, got null"),
    ],
)
def test_a_record_without_a_declared_table_is_compared_where_it_is_named(
    row: Any, absent: Any, difference: str | None
) -> None:
    expect = [{"table": "import", "row": row, "absent": absent}]
    (case,) = read_cases([{"name": "a", "event": EVENT, "expect": expect}], "here")

    told = [str(each) for each in differences(case, lambda _: Outcome("stored", (RECORD,)), {})]

    assert told == ([] if difference is None else [difference])


def test_rows_that_are_missing_or_too_many_are_told_and_the_others_compared() -> None:
    rows = [Row("import", {"event": name, "n": n}) for name, n in (("A", 1), ("X", 2), ("B", 3))]
    expect = [{"table": "import", "row": {"event": name, "n": 3}} for name in ("A", "B", "C", "D")]
    (case,) = read_cases([{"name": "a", "event": EVENT, "expect": expect}], "here")

    told = [str(each) for each in differences(case, lambda _: Outcome("stored", tuple(rows)), {})]

    assert told == [
        "expect[0].row.n: expected 3, got 1",
        "row[1]: expected no row, got import X",
        "expect[2]: expected import C, got no row",
        "expect[3]: expected import D, got no row",
    ]


def test_long_values_are_shown_where_they_begin_to_differ() -> None:
    expect = [{"table": "import", "row": {"event": "a" * 200 + "b" * 200}}]
    (case,) = read_cases([{"name": "a", "event": EVENT, "expect": expect}], "here")
    row = Row("import", {"event": "a" * 200 + "c"})

    (told,) = differences(case, lambda _: Outcome("stored", (row,)), {})

    assert told.expected == f"…{'a' * 20}{'b' * 100}…"
    assert told.got == f'…{"a" * 20}c"'


def test_what_a_schema_rejects_is_shown_with_its_findings() -> None:
    finding = Violation("/properties/order_id", "required", '["order_id"]', "missing")
    outcome = Outcome("rejected", rejected=Rejected("schema_violation", "policy", (finding,)))

    assert public_outcome(outcome, {}) == [
        {"rejected": {"code": "schema_violation", "message": "policy", "violations": [finding._asdict()]}}
    ]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "should be a list of cases"),
        (["x"], "case 0: needs a name, an event"),
        ([{"name": "a", "expect": []}], "case 0: needs a name, an event"),
        ([{"name": "a", "event": {}}], "expect is a list"),
        ([{"name": "a", "event": {}, "expect": [], "expects": []}], "case 0: knows"),
        ([{"name": "a", "event": {}, "raw": "{}", "expect": []}], "case 0: needs a name, an event"),
        ([{"name": "a", "event": {}, "settings": ["currency"], "expect": []}], "settings an object"),
        ([{"name": "a", "raw": {}, "expect": []}], "case 0: raw is the text of a record"),
        ([{"name": "a", "event": {}, "expect": ["events"]}], r"expect\[0\]: is either"),
        ([{"name": "a", "event": {}, "expect": [{"row": {}}]}], r"expect\[0\]: is either"),
        (
            [{"name": "a", "event": {}, "expect": [{"table": "events", "rows": {}}]}],
            r"expect\[0\]: is either",
        ),
        ([{"name": "a", "event": {}, "expect": [{"rejected": "no_json"}]}], r"expect\[0\]: is either"),
    ],
)
def test_a_case_that_could_not_fail_is_refused(document: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        read_cases(document, "here")


def test_a_date_that_yaml_reads_is_the_text_a_sender_writes(tmp_path: Path) -> None:
    file = tmp_path / "a.cases.yaml"
    file.write_text(
        "- name: a\n"
        "  event: {timestamp: 2026-03-14T12:00:00Z}\n"
        "  received_at: 2026-03-14T12:00:01Z\n"
        "  expect: []\n",
        encoding="utf-8",
    )

    (case,) = read_cases(read_document(file), "here")

    assert case.captured.event == {"timestamp": "2026-03-14T12:00:00+00:00"}
    assert case.captured.received_at_ms == 1_773_489_601_000


@pytest.mark.parametrize("raw", ['{"price":NaN}', b'{"price":NaN}'])
def test_the_text_of_a_record_is_read_as_captured_bytes_are(raw: Any) -> None:
    (case,) = read_cases([{"name": "a", "raw": raw, "expect": []}], "here")

    assert case.captured.repaired
    assert math.isnan(case.captured.event["price"])
    assert case.captured.raw() == b'{"price":NaN}'


def test_a_record_that_cannot_be_read_is_rejected_for_that() -> None:
    (case,) = read_cases(
        [{"name": "a", "raw": '{"type":', "expect": [{"rejected": {"code": "truncated"}}]}], "here"
    )

    assert faults_of(case, MAPPINGS / "ecommerce.yaml") == []


def test_the_settings_of_a_case_are_words_of_the_configuration_for_its_own_source() -> None:
    said = {
        "first_day": date(2020, 1, 1),
        "currency": "EUR",
        "event_aliases": {"Verkauft": "Order Completed"},
    }

    (case,) = read_cases(
        [{"name": "a", "event": EVENT, "source": "shop", "settings": said, "expect": []}], "here"
    )

    assert case.configuration == {
        "first_day": "2020-01-01",
        "sources": {"shop": {"currency": "EUR", "event_aliases": {"Verkauft": "Order Completed"}}},
    }
    settings = load_settings(**case.configuration)
    assert (settings.first_day, settings.sources["shop"].currency) == (date(2020, 1, 1), "EUR")


def test_a_case_without_settings_runs_under_the_defaults() -> None:
    (case,) = read_cases([{"name": "a", "event": EVENT, "expect": []}], "here")

    assert case.configuration == {}
