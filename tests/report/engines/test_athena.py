"""Statements for Athena are rendered and read, never run: no Athena is here.

``tests/golden/athena`` holds the text of the first example of every kind; ``--update-golden`` writes it anew.
Columns and types are checked by sqlglot against the declared tables, as Trino would resolve them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from connector.report.asking import Asking
from connector.report.compose import DIALECT
from connector.report.desks.text import MOST_BYTES, TextDesk
from connector.report.functions import OWN, STANDARD
from connector.report.kinds import KINDS, kind_of
from connector.report.render import render
from connector.tables import STRUCT_FIELDS, TABLES, TypeCode
from tests.report.engines.examples import examples
from tests.report.engines.functions import CONSTRUCTS, FUNCTIONS
from tests.report.engines.store import MEMBERS
from tests.report.stores import NOW

GOLDEN = Path(__file__).parents[2] / "golden" / "athena"
OF_OTHERS = {"recipe"}
"""Kinds that only ask what other kinds ask: their text is that of the others once more."""
TRINO = {
    line
    for line in (Path(__file__).parent / "trino_functions.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
}
_NO_FUNCTIONS = set(
    "and as between by decimal else exists filter from in is join like map not on or over select then union "
    "values varchar when where with all distinct except intersect recursive having".split()
)
"""Words with a bracket behind them."""
_TYPES: dict[TypeCode, str] = {
    "S": "VARCHAR", "J": "VARCHAR", "T": "TIMESTAMP(3)", "M": "DECIMAL(18, 6)", "Q": "DECIMAL(19, 3)",
    "I": "INTEGER", "L": "BIGINT", "D": "DOUBLE", "B": "BOOLEAN", "LS": "ARRAY(VARCHAR)",
}  # fmt: skip
COMPARED = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.DPipe,
)  # fmt: skip


@cache
def asked(kind: str, number: int) -> TextDesk:
    """The desk after an example was asked of it."""
    desk = TextDesk("athena")
    asking = Asking(examples(kind)[number], desk, NOW, lambda name: MEMBERS[name])
    kind_of(kind).answer(asking)
    return desk


def _texts(kind: str) -> Iterator[str]:
    for number in range(len(examples(kind))):
        yield from asked(kind, number).texts


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OF_OTHERS])
def test_the_text_for_athena_is_golden(kind: str, pytestconfig: pytest.Config):
    document = asked(kind, 0).document(kind)

    golden = GOLDEN / f"{kind}.sql"
    if pytestconfig.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(document, encoding="utf-8")
    assert document == golden.read_text(encoding="utf-8")


def test_no_golden_text_is_left_of_a_kind_that_is_gone():
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(KINDS) - OF_OTHERS


def test_the_text_says_that_it_was_not_run_and_what_it_needs():
    desk = asked("funnel", 1)
    head = desk.document("funnel").split("\n\n")[0]

    assert head.startswith("-- connector report funnel, as SQL for Athena: rendered, not run.\n")
    assert "-- Tables it reads: events_raw, profiles_raw, aliases_raw.\n" in head
    assert "-- approx_percentile estimates" in head
    assert "-- WITH RECURSIVE goes 10 rounds deep" in head
    assert len(desk.document("funnel").split(";\n")) == len(desk.texts) + 1


def test_a_statement_that_athena_would_not_take_is_named():
    desk = TextDesk("athena")
    names = ", ".join(f"'{'x' * 50}{number}'" for number in range(6_000))
    for sql in ("SELECT 1 AS x", f"SELECT 1 AS x FROM events_raw WHERE user_id IN ({names})"):
        desk.rows(sqlglot.parse_one(sql, read=DIALECT), Asking(examples("people")[0], desk, NOW).clock)

    assert len(desk.texts[1].encode()) > MOST_BYTES
    assert "-- Statement 2 is longer than the 262144 bytes" in desk.document("people")
    assert "Statement 1" not in desk.document("people")


def _called(text: str) -> set[str]:
    bare = re.sub(r"'(?:[^']|'')*'|/\*.*?\*/|\"[^\"]*\"", "''", text, flags=re.DOTALL)
    words = re.findall(r"(?<!\bAS )(?<!\bRECURSIVE )\b([A-Za-z_][A-Za-z_0-9]*)\(", bare)
    return {word.lower() for word in words} - _NO_FUNCTIONS


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_calls_only_functions_of_trino(kind: str):
    for text in _texts(kind):
        assert _called(text) <= TRINO


@pytest.mark.parametrize("shown", FUNCTIONS)
def test_a_function_of_the_list_becomes_functions_of_trino(shown: str):
    text = render(sqlglot.parse_one(FUNCTIONS[shown].sql, read=DIALECT), "athena")

    assert _called(text) <= TRINO


def test_the_list_names_the_functions_of_trino():
    named = {name for name in STANDARD.values() if not name.isupper()}

    assert named | {name for own in OWN.values() for name in own.trino} | {"concat"} == TRINO


@pytest.mark.parametrize("shown", CONSTRUCTS)
def test_a_construct_is_read_as_athena(shown: str):
    text = render(sqlglot.parse_one(CONSTRUCTS[shown].sql, read=DIALECT), "athena")

    assert isinstance(sqlglot.parse_one(text, read="athena"), exp.Query)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OF_OTHERS])
def test_columns_resolve_and_types_agree(kind: str):
    """Trino takes no alias in WHERE or GROUP BY and compares only like with like."""
    for text in _texts(kind):
        assert _type_faults(text) == []


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT price AS p FROM events_raw WHERE p > 1", "p"),
        ("SELECT event AS e, count(*) AS n FROM events_raw GROUP BY e", "e"),
        ("SELECT price AS p, p + 1 AS q FROM events_raw", "p"),
        ("SELECT no_such_column FROM events_raw", "no_such_column"),
    ],
)
def test_an_alias_that_trino_does_not_know_is_found(sql: str, fault: str):
    with pytest.raises(OptimizeError, match=fault):
        _type_faults(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS x FROM events_raw WHERE user_id = 5",
        "SELECT 1 AS x FROM events_raw WHERE day > '2026-01-01'",
        "SELECT price + user_id AS x FROM events_raw",
        "SELECT coalesce(price, '0') AS x FROM events_raw",
        "SELECT CASE WHEN day IS NULL THEN price ELSE event END AS x FROM events_raw",
        "SELECT event AS x FROM events_raw UNION ALL SELECT price AS x FROM events_raw",
        "SELECT CAST(price AS BIGINT) AS x FROM events_raw",
        "SELECT CAST(CAST(price AS DOUBLE) AS VARCHAR) AS x FROM events_raw",
    ],
)
def test_types_that_do_not_agree_are_found(sql: str):
    assert len(_type_faults(sql)) == 1


def _schema() -> dict[str, dict[str, str]]:
    def spelled(code: TypeCode) -> str:
        if code in _TYPES:
            return _TYPES[code]
        return (
            f"ARRAY(ROW({', '.join(f'{name} {_TYPES[kind]}' for name, kind in STRUCT_FIELDS[code].items())}))"
        )

    return {
        f"{table.name}_raw": {column.name: spelled(column.code) for column in table.columns} | {"day": "DATE"}
        for table in TABLES
    }


def _type_faults(text: str) -> list[str]:
    """What a statement brings together and Trino keeps apart. Raises ``OptimizeError``: an unknown column."""
    tree = qualify(
        sqlglot.parse_one(text, read="athena"), schema=_schema(), dialect="athena", expand_alias_refs=False,
        quote_identifiers=False,
    )  # fmt: skip
    typed = annotate_types(tree, schema=_schema(), dialect="athena")
    return [
        f"{' and '.join(sorted(kinds))}: {said}" for kinds, said in _meetings(typed) if len(kinds) > 1
    ] + [f"rounded: {node.sql('athena')}" for node in typed.find_all(exp.Cast) if _is_rounding(node)]


def _meetings(tree: exp.Expr) -> Iterator[tuple[set[str], str]]:
    """What comes together in a comparison, a sum, a branch or a union."""
    for node in tree.find_all(*COMPARED):
        yield _kinds(node.left, node.right), node.sql("athena")
    for node in tree.find_all(exp.Coalesce, exp.Greatest, exp.Least):
        yield _kinds(node.this, *node.expressions), node.sql("athena")
    for node in tree.find_all(exp.Between):
        yield _kinds(node.this, node.args["low"], node.args["high"]), node.sql("athena")
    for node in tree.find_all(exp.In):
        yield _kinds(node.this, *node.expressions), node.sql("athena")
    for node in tree.find_all(exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        yield (
            _kinds(*branches, *([node.args["default"]] if node.args.get("default") else [])),
            node.sql("athena"),
        )
    for node in tree.find_all(exp.SetOperation):
        for one, other in zip(node.left.selects, node.right.selects, strict=True):
            yield _kinds(one, other), f"{one.sql('athena')}, {other.sql('athena')}"


def _kinds(*nodes: exp.Expr) -> set[str]:
    return {kind for node in nodes if (kind := _kind(node.type)) is not None}


def _kind(found: exp.DataType | None) -> str | None:
    if found is None or found.is_type("unknown", "null"):
        return None
    if found.is_type(*exp.DataType.NUMERIC_TYPES):
        return "number"
    return "text" if found.is_type(*exp.DataType.TEXT_TYPES) else str(found.this.value).lower()


def _is_rounding(node: exp.Cast) -> bool:
    """Engines round a fraction to a whole number, and write a double as text, in different ways."""
    found = node.this.type
    if found is None or isinstance(node.this, exp.Floor | exp.Ceil):
        return False
    to_whole = node.to.is_type("int", "bigint") and found.is_type("double", "decimal", "float")
    return to_whole or (node.to.is_type(*exp.DataType.TEXT_TYPES) and found.is_type("double", "float"))
