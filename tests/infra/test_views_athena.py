"""The views as Athena's text: rendered and read, never run, for no Athena is here.

``tests/golden/athena/views`` holds each statement; ``--update-golden`` writes them anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from connector.errors import ConfigError
from connector.infra.template import shipped
from connector.infra.views import FIRST_QUERY, View, document, shipped_views
from connector.report.desks.text import MOST_BYTES
from connector.report.portable import unportable
from connector.tables import EVENTS, TABLES, Column
from tests.infra.views_sql import shown, tables_of, whole
from tests.report.engines.test_athena import TRINO, _called, _type_faults

GOLDEN = Path(__file__).parents[1] / "golden" / "athena" / "views"
VIEWS = list(shown())
RAW = {f"{table.name}_raw" for table in TABLES}


def _view(name: str) -> View:
    return shown()[name]


@pytest.mark.parametrize("name", VIEWS)
def test_the_statement_is_golden(name: str, pytestconfig: pytest.Config):
    statement = f"{_view(name).statement}\n"

    golden = GOLDEN / f"{name}.sql"
    if pytestconfig.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(statement, encoding="utf-8")
    assert statement == golden.read_text(encoding="utf-8")


def test_no_golden_text_is_left_of_a_view_that_is_gone():
    assert {path.stem for path in GOLDEN.iterdir()} == set(VIEWS)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_holds_only_what_every_engine_understands(name: str):
    assert unportable(_view(name).query) == []


@pytest.mark.parametrize("name", VIEWS)
def test_the_statement_is_one_that_athena_reads(name: str):
    statement = _view(name).statement

    (tree,) = sqlglot.parse(statement, read="athena")
    assert isinstance(tree, exp.Create)
    assert (tree.kind, tree.this.name, tree.args["replace"]) == ("VIEW", name, True)
    assert len(statement.encode()) < MOST_BYTES
    assert ";" not in statement
    assert _called(statement) <= TRINO


@pytest.mark.parametrize("name", VIEWS)
def test_columns_resolve_and_types_agree(name: str):
    assert _type_faults(whole(name, "athena")) == []


def test_a_view_reads_raw_tables_and_views_that_were_made_before():
    made = set(RAW)
    for name in VIEWS:
        assert tables_of(_view(name).query) <= made
        made.add(name)


@pytest.mark.parametrize("name", VIEWS)
def test_columns_are_named_so_that_a_new_column_makes_no_view_stale(name: str):
    query = _view(name).query
    if query.is_star:
        (root,) = tables_of(exp.select("*").from_(query.find(exp.From).this.name))
        query = next(cte.this for cte in query.find_all(exp.CTE) if cte.alias == root)

    assert not query.is_star


def test_each_table_has_a_view_of_its_columns_in_their_order():
    for table in TABLES:
        columns = [column.name for column in table.columns]
        assert _view(table.name).query.named_selects == [*columns, "day"]


def test_columns_of_a_user_are_in_the_views():
    tables = [EVENTS.with_columns([Column("colour", "S", "", ("properties.colour",))]), *TABLES[1:]]

    views = {view.name: view for view in shipped_views(tables)}

    for name in ("events", "order_lines", "product_viewed", "cart_viewed"):
        assert "colour" in views[name].query.named_selects


def test_a_column_that_is_a_keyword_of_trino_is_refused_by_name():
    tables = [EVENTS.with_columns([Column("left", "S", "", ("properties.left",))]), *TABLES[1:]]

    with pytest.raises(ConfigError, match="the name left"):
        document(shipped_views(tables))


def test_the_printed_text_is_all_statements_each_under_what_it_says():
    text = document(shipped_views())

    assert [tree.this.name for tree in sqlglot.parse(text, read="athena") if tree] == VIEWS
    assert text.startswith(f"-- {len(VIEWS)} views for Athena")
    assert "\n-- One row per Order Updated, with the columns that it can have. Filter day.\nCREATE" in text
    assert "Its products have a row each in order_lines, and none here.\nCREATE" in " ".join(
        text.split("\n-- ")
    )
    assert max(len(line) for line in text.splitlines() if line.startswith("--")) <= 110


def test_the_first_query_reads_the_days_it_asks_for_and_counts_copies_once():
    tree = sqlglot.parse_one(FIRST_QUERY, read="athena")

    assert tables_of(tree) == {"events_raw"}
    assert tree.args["where"].sql("athena") == "WHERE day > CURRENT_DATE - INTERVAL '7' DAY"
    assert "COUNT(DISTINCT row_id)" in tree.sql("athena")
    assert len(FIRST_QUERY) < 1_024


def test_the_template_shows_the_first_query():
    text = shipped("template.yaml").read_text(encoding="utf-8")
    (value,) = re.findall(r"\n  FirstQuery:\n.*\n    Value: !Sub >-\n((?:      .+\n)+)", text)

    assert " ".join(value.split()) == FIRST_QUERY.replace("events_raw", "${DatabaseName}.events_raw")
