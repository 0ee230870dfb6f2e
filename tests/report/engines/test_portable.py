"""What views may be written in, and how what engines see differently is brought to one meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

import connector.report
from connector.errors import ConfigError
from connector.report.compose import DIALECT, template_of
from connector.report.functions import ENGINES, OWN, REDEFINED, STANDARD
from connector.report.portable import unportable
from connector.report.render import is_approximate, render

VIEWS = sorted(path.stem for path in (Path(connector.report.__file__).parent / "sql").glob("*.sql"))
OFFENCES = {
    "SELECT lower(x) FROM t": "function lower",
    "SELECT round(x, 2) FROM t": "function round",
    "SELECT now()": "function now",
    "SELECT try_cast(x AS INTEGER) FROM t": "function trycast",
    "SELECT list_transform(x, lambda y: y) FROM t": "function transform",
    "SELECT {'a': x} FROM t": "function struct",
    "SELECT [x] FROM t": "function array",
    "SELECT x[1] FROM t": "BRACKET",
    "SELECT record.a.b.c.d FROM t": "a field of something else than item(list, number)",
    "SELECT x ** 2 FROM t": "function pow",
    "SELECT x // 2 FROM t": "INTDIV",
    "SELECT CAST('2026-01-01' AS DATE) + INTERVAL 1 DAY": "INTERVAL",
    "SELECT x FROM t QUALIFY row_number() OVER (ORDER BY x) = 1": "QUALIFY",
    "SELECT DISTINCT ON (x) y FROM t": "DISTINCT ON",
    "SELECT count(DISTINCT (x, y)) FROM t": "DISTINCT of several things, or in another function than count",
    "SELECT sum(DISTINCT x) FROM t": "DISTINCT of several things, or in another function than count",
    "SELECT * EXCLUDE (x) FROM t": "* with EXCLUDE, REPLACE or RENAME",
    "SELECT x FROM t UNION BY NAME SELECT y FROM u": "BY NAME",
    "SELECT x FROM t GROUP BY ALL": "GROUP BY ALL",
    "SELECT x FROM t GROUP BY ROLLUP (x)": "ROLLUP",
    "SELECT x FROM t JOIN u USING (x)": "JOIN with USING, NATURAL or ASOF",
    "SELECT x FROM t SEMI JOIN u ON t.x = u.x": "SEMI JOIN",
    "SELECT x FROM t TABLESAMPLE 10%": "TABLESAMPLE",
    "SELECT x FROM t LIMIT 3 OFFSET 2": "OFFSET",
    "SELECT sum(x) OVER w FROM t WINDOW w AS (ORDER BY x)": "a named window",
    "SELECT sum(x) FILTER (WHERE y) OVER (ORDER BY x) FROM t": "FILTER over a window",
    "SELECT row_number() OVER (PARTITION BY x) FROM t": "RowNumber over a window without ORDER BY",
    "SELECT sum(x) OVER (ORDER BY x GROUPS 1 PRECEDING) FROM t": "a frame other than ROWS or RANGE",
    "SELECT CAST(x AS HUGEINT) FROM t": "CAST to INT128",
    "SELECT x LIKE y FROM t": "LIKE with a pattern that is no literal",
    "SELECT x ILIKE 'a' FROM t": "ILIKE",
    "SELECT p ->> x FROM t": "->> with a path that is no literal",
    """SELECT p ->> '$."it''s"' FROM t""": "a JSON key that is * or has an apostrophe",
    "SELECT p ->> '$.a[1]' FROM t": "JSONPATHSUBSCRIPT",
    "SELECT x IS TRUE FROM t": "IS TRUE or IS FALSE",
    "SELECT (x, y) IN (SELECT 1, 2) FROM t": "a row of values outside VALUES",
    "SELECT x AS last FROM t": "the name last",
    "SELECT x AS _x FROM t": "the name _x",
    'SELECT "Übersicht" FROM t': "the name Übersicht",
}


def _tree(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read=DIALECT)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_holds_only_what_every_engine_understands(view: str):
    assert unportable(template_of(view)) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_read_by_every_engine(view: str):
    filled = template_of(view).copy()
    for holder in list(filled.find_all(exp.Placeholder)):
        holder.replace(exp.null())

    for engine in ENGINES:
        assert isinstance(sqlglot.parse_one(render(filled, engine), read=engine), exp.Query)


@pytest.mark.parametrize(("sql", "said"), OFFENCES.items())
def test_what_one_engine_lacks_is_refused_before_it_is_asked(sql: str, said: str):
    assert said in unportable(_tree(sql))
    with pytest.raises(ConfigError, match="not for every engine: "):
        render(_tree(sql), "duckdb")


def test_everything_redefined_is_on_the_list_or_an_operator():
    assert set(REDEFINED) <= {*STANDARD, exp.Div, exp.Like}


def test_division_and_means_are_of_doubles_everywhere():
    tree = _tree("SELECT x / y AS a, avg(x) AS b, x / 2 AS c FROM t")

    for engine in ENGINES:
        text = " ".join(render(tree, engine).split())
        assert "CAST(x AS DOUBLE) / CAST(NULLIF(y, 0) AS DOUBLE) AS a" in text
        assert "AVG(CAST(x AS DOUBLE)) AS b, CAST(x AS DOUBLE) / 2 AS c" in text


def test_null_among_the_arguments_of_greatest_is_passed_over_by_trino_too():
    tree = _tree("SELECT greatest(x, y, 0) AS a FROM t")

    assert "GREATEST(x, y, 0)" in render(tree, "spark")
    assert "GREATEST(COALESCE(x, y, 0), COALESCE(y, x, 0), 0)" in render(tree, "athena")


def test_a_backslash_in_a_pattern_is_one_for_spark_too():
    assert r"LIKE '%\\\\%'" in render(_tree(r"SELECT x LIKE '%\%' AS a FROM t"), "spark")


def test_a_recursive_view_is_alone_in_its_list_for_trino():
    tree = _tree(
        "WITH RECURSIVE one AS (SELECT * FROM t), "
        "steps AS (SELECT x FROM one UNION ALL SELECT x + 1 AS x FROM steps) SELECT * FROM steps"
    )

    text = " ".join(render(tree, "athena").split())

    assert text.startswith("WITH one AS ( SELECT * FROM t ), steps AS ( WITH RECURSIVE steps(x) AS (")
    assert render(tree, "spark").startswith("WITH RECURSIVE one AS (")


def test_only_percentiles_of_athena_are_estimates():
    tree = _tree("SELECT percentile(x, 0.5) AS a FROM t")

    assert [engine for engine in ENGINES if is_approximate(tree, engine)] == ["athena"]
    assert [name for name, own in OWN.items() if own.approximate_on] == ["percentile"]
