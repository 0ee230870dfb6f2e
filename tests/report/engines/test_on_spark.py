"""Spark says what DuckDB says: every function on the list, every construct, every kind of report.

One Spark for all of it. Rows are few and plans are many here, so nothing is compiled for speed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from conftest import require
from contract.data_folders import on_disk
from contract.publishing import publish_rows
from sqlglot import exp
from unit.write.lake_samples import product_viewed

import connector.report
from connector.report.clock import Clock
from connector.report.compose import DIALECT
from connector.report.desks.duck import RAW, DuckDesk
from connector.report.desks.spark import SparkDesk, SparkFailed, show_files, show_rows, spark_session
from connector.report.desks.spark_files import lay_out
from connector.report.functions import CLOCK, OWN, STANDARD
from connector.report.kinds import KINDS
from connector.tables import ALIASES, EVENTS, PROFILES, TABLES, Column, Table
from tests.report import messy, oracle
from tests.report.engines.examples import examples
from tests.report.engines.functions import CONSTRUCTS, FUNCTIONS, Case
from tests.report.engines.same import differences, in_order
from tests.report.engines.store import MEMBERS, store
from tests.report.stores import ask, at, lake

SMALL = {
    "spark.master": "local[2]",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
VIEWS = Path(connector.report.__file__).parent / "sql"
MOMENTS_MS = (
    -1, 0, 1_262_304_000_000, at("2026-03-29 00:59:59") + 999, at("2026-03-29 01:00"), at("2026-10-25 00:30"),
    at("2026-10-25 01:00"), at("2026-03-08 07:00"), at("2026-04-05 03:59:59"), at("2026-07-01 18:15"), None,
)  # fmt: skip


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    require(find_spec("pyspark"), "pyspark")
    require(shutil.which("java"), "Java 17")
    with spark_session(SMALL) as session:
        yield session


class Pair:
    """The same relations on both engines."""

    def __init__(self, spark: Any, connection: duckdb.DuckDBPyConnection) -> None:
        self.session = spark.newSession()
        self.duck = DuckDesk(connection, "memory", RAW)
        self.spark = SparkDesk(self.session)

    def both(self, sql: str, clock: Clock | None = None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        tree = sqlglot.parse_one(sql, read=DIALECT)
        return tuple(in_order(desk.rows(tree, clock or Clock())) for desk in (self.duck, self.spark))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def pair(spark: Any) -> Pair:
    """``moments`` and ``lists``."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    made = Pair(spark, connection)
    things = pa.list_(pa.struct([pa.field("code", pa.string())]))
    lists = {
        "names": pa.array([["a", None, "c"], [], None, ["x"]], pa.list_(pa.string())),
        "things": pa.array([[{"code": "one"}], [], None, [None]], things),
    }
    moments = pa.array(MOMENTS_MS, pa.timestamp("ms", tz="UTC"))
    for name, rows in (("moments", pa.table({"moment": moments})), ("lists", pa.table(lists))):
        connection.register(name, rows)
        made.session.createDataFrame(rows).createOrReplaceTempView(name)
    return made


def _id(case: str) -> str:
    return case.replace(" ", "_")


@pytest.mark.parametrize("shown", FUNCTIONS, ids=_id)
def test_a_function_means_the_same_on_both_engines(shown: str, pair: Pair):
    _check(FUNCTIONS[shown], pair)


@pytest.mark.parametrize("shown", CONSTRUCTS, ids=_id)
def test_a_construct_means_the_same_on_both_engines(shown: str, pair: Pair):
    _check(CONSTRUCTS[shown], pair)


def _check(case: Case, pair: Pair) -> None:
    duck, spark = pair.both(case.sql)

    assert differences(duck, spark) == []
    if case.rows is not None:
        assert differences([tuple(row.values()) for row in duck], case.rows) == []


def test_no_function_of_the_list_is_left_out():
    """The cases above hold every function; the list has no other."""
    shown = [node for case in FUNCTIONS.values() for node in sqlglot.parse_one(case.sql, read=DIALECT).walk()]

    assert {type(node) for node in shown} >= set(STANDARD)
    assert {str(node.this).lower() for node in shown if isinstance(node, exp.Anonymous)} == {*OWN, *CLOCK}


@pytest.mark.parametrize("zone", messy.ZONES)
def test_local_days_are_those_of_the_zone_on_days_when_clocks_change(zone: str, pair: Pair):
    moments = [ms for ms in MOMENTS_MS if ms is not None and ms > at("2026-01-01")]
    values = ", ".join(f"({ms})" for ms in moments)
    sql = f"SELECT x, local_ms(x) AS y, local_day(x) AS d FROM (VALUES {values}) AS given(x)"

    duck, spark = pair.both(sql, Clock(zone, min(moments), max(moments)))

    assert differences(duck, spark) == []
    found = {row["x"]: row["d"] for row in spark}
    assert {ms: (oracle.local_day(ms, zone) - oracle.local_day(0, "UTC")).days for ms in moments} == found


def test_months_begin_where_the_calendar_says(pair: Pair):
    (row,) = pair.both("SELECT month_start(20543) AS late, month_start(20513) AS early")[1]

    assert row == {"late": 20_513, "early": 20_513}


class Remembering:
    """A desk that answers a statement once."""

    def __init__(self, desk: SparkDesk) -> None:
        self._desk = desk
        self._known: dict[tuple[str, Clock], list[dict[str, Any]]] = {}
        self.engine, self.runs = desk.engine, desk.runs
        self.given, self.days = desk.given, desk.days

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        key = (statement.sql(DIALECT), clock)
        if key not in self._known:
            self._known[key] = self._desk.rows(statement, clock)
        return [dict(row) for row in self._known[key]]


@pytest.fixture(scope="module")
def messy_store(spark: Any) -> tuple[DuckDesk, dict[bool, Remembering]]:
    """The fixed store on DuckDB and on Spark; there prepared and not."""
    rows = store()
    connection = lake(**rows)
    desks = {}
    for prepared in (False, True):
        session = spark.newSession()
        for table in (_narrow(EVENTS, rows["events"]), PROFILES, ALIASES):
            listed = ", ".join(column.name for column in table.columns)
            show_rows(
                session, table, connection.sql(f"SELECT {listed}, day FROM {table.name}_raw").to_arrow_table()
            )
        desk = SparkDesk(session)
        if prepared:
            desk.prepare()
        desks[prepared] = Remembering(desk)
    return DuckDesk(connection, "memory", RAW), desks


def _narrow(table: Table, rows: list[dict[str, Any]]) -> Table:
    """The columns that a row has or a view names: plans of a hundred more take Spark much longer."""
    views = " ".join(path.read_text(encoding="utf-8") for path in VIEWS.glob("*.sql"))
    used = {*re.findall("[a-z_0-9]+", views), *(name for row in rows for name in row)}
    return replace(table, columns=tuple(column for column in table.columns if column.name in used))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "recipe"])
def test_a_report_says_the_same_on_both_engines(kind: str, messy_store):
    duck, spark = messy_store
    for question in examples(kind):
        here = ask(question, duck, MEMBERS)
        there = ask(question, spark[question.as_of is None], MEMBERS)

        assert here.rows, f"{kind} {question.stated()}: an example must have an answer"
        assert differences(list(here.rows), list(there.rows)) == []
        assert differences(here.document().get("totals", {}), there.document().get("totals", {})) == []
        assert here.notes == there.notes


def test_live_files_are_read_as_declared_and_no_others(spark: Any, tmp_path: Path):
    """Columns of every type, a file that lacks a column, a path with the characters of patterns."""
    place = on_disk(tmp_path / "lake {of} [may]=1")
    products = [{"sku": "45790-32", "price": Decimal("19.5"), "quantity": Decimal("0.25"), "position": 3}]
    publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0, products=products, coupons=["MAY5"])])
    wider = EVENTS.with_columns([Column("loyalty_level", "I", "Level")])
    publish_rows(place, "h-2", [wider], events=[product_viewed("h-2", 0, loyalty_level=3)])
    place.put("tables/events/day=2026-11-27/stray.parquet", b"not in the ledger")
    tables = [wider, *TABLES[1:2]]
    target = tmp_path / "laid"
    target.mkdir()

    pair = Pair(spark, place.lake(tables=tables))
    for table in tables:
        show_files(pair.session, table, lay_out(place.data, [table], _made(target / table.name))[table.name])
    duck, there = pair.both("SELECT * FROM events_raw")

    assert len(there) == 2
    assert [row["loyalty_level"] for row in there] == [row["loyalty_level"] for row in duck]
    assert differences(duck, there) == []
    assert pair.both("SELECT * FROM profiles_raw") == ([], [])


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_what_spark_refuses_is_said_in_one_line(pair: Pair):
    too_much = "SELECT sum(x) AS y FROM (VALUES (9223372036854775807), (1)) AS given(x)"

    with pytest.raises(SparkFailed, match=r"^Spark: \[ARITHMETIC_OVERFLOW\][^\n]*$"):
        pair.spark.rows(sqlglot.parse_one(too_much, read=DIALECT), Clock())
