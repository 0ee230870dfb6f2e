"""docs/athena.md speaks of what is there, and its queries are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from click.testing import CliRunner
from sqlglot import exp

from connector.cli_infra_views import views
from connector.infra.glue import glue_tables
from connector.infra.template import shipped
from connector.infra.views import FIRST_QUERY
from connector.lake.event_views import event_view_names
from connector.report.kinds import KINDS
from connector.tables import EVENTS, TABLES
from tests.infra.views_sql import shown, tables_of, with_views
from tests.report.engines.test_athena import TRINO, _called, _type_faults, asked
from tests.report.stores import lake, row

PAGE = (Path(__file__).parents[2] / "docs" / "athena.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)\n```", PAGE, re.DOTALL)
ONLY_ATHENA = "any_match"
"""What DuckDB has no translation of."""


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_view_and_table_is_named_and_no_other():
    named = set(re.findall(r"`([a-z_]+)`", _section("Views").split("Each has")[0]))

    assert set(shown()) <= named
    assert named - set(shown()) <= {"row_id", "gross", "refunded", "linked_at_ms", "uid", "email"}
    assert event_view_names() <= named
    assert {f"{table.name}_raw" for table in TABLES} <= set(re.findall(r"`(\w+)`", _section("Tables")))


def test_the_first_query_is_the_one_the_command_tells():
    assert QUERIES[0] == FIRST_QUERY


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_resolves_over_the_views(query: str):
    tree = sqlglot.parse_one(query, read="athena")

    assert tables_of(tree) <= {*shown(), "events_raw"}
    assert _called(query) <= TRINO | {"any_match"}
    if "INTERVAL" not in query:
        assert _type_faults(with_views(tree, "athena")) == []


@pytest.mark.parametrize("query", [query for query in QUERIES if ONLY_ATHENA not in query])
def test_a_query_runs_over_a_lake(query: str):
    rows = [row("Product Viewed", "2026-03-14 10:00", "ann", "phone", properties='{"colour":"red"}')]
    tree = sqlglot.parse_one(query, read="athena")

    with lake(rows) as connection:
        connection.execute(with_views(tree, "duckdb")).fetchall()


def test_filters_in_the_queries_are_on_day():
    for query in QUERIES:
        where = sqlglot.parse_one(query, read="athena").args["where"]
        assert "day" in {column.name for column in where.find_all(exp.Column)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_for_athena_reads_tables_that_glue_has(kind: str):
    glue = {each["Properties"]["TableInput"]["Name"] for each in glue_tables(TABLES).values()}
    read = set().union(*(tables_of(statement) for statement in asked(kind, 0).statements))

    assert {"events_raw"} <= read <= {"events_raw", "profiles_raw", "aliases_raw"} <= glue


def test_options_that_are_shown_exist():
    help_ = CliRunner().invoke(views, ["--help"]).output

    for option in re.findall(r"connector infra views (--\w+)", PAGE):
        assert option in help_


def test_the_projection_is_changed_by_the_property_that_the_table_has():
    parameters = glue_tables([EVENTS])["EventsTable"]["Properties"]["TableInput"]["Parameters"]
    (key, value) = re.findall(r"TBLPROPERTIES \('(.*?)' = '(.*?)'\)", PAGE)[0]

    assert value.split(",")[1] in parameters[key].text
    for parameter in ("FirstDay", "QueryByteLimit"):
        assert f"  {parameter}:\n" in shipped("template.yaml").read_text(encoding="utf-8")
