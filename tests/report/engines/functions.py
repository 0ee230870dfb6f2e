"""Statements in the reports' dialect over edge values, one or more for every function on the list."""

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    """One statement, and what it gives where that is not plain."""

    sql: str
    rows: list[tuple[Any, ...]] | None = None


def of(values: str, *columns: str) -> str:
    return f"FROM (VALUES {values}) AS given({', '.join(columns)})"


def money(*amounts: str) -> str:
    """Rows of one amount each."""
    return ", ".join(f"(CAST('{amount}' AS DECIMAL(18, 6)))" for amount in amounts)


AMOUNTS = of(
    ", ".join(f"(CAST({text} AS DECIMAL(18, 6)), CAST({more} AS DECIMAL(19, 3)))" for text, more in (
        ("'123456789012.123456'", "'12345.678'"), ("'-0.000001'", "'0.001'"), ("'2'", "'-3'"), ("2", "NULL"),
        ("NULL", "1"),
    )),
    "price", "quantity",
)  # fmt: skip
NUMBERS = of("(-3), (0), (2), (2), (7), (CAST(NULL AS INTEGER))", "x")
DOUBLES = of("(2.5e0), (-2.5e0), (-0.0e0), (1e15), (0.1e0), (CAST(NULL AS DOUBLE))", "x")
TEXTS = of(
    "('b'), ('B'), ('a'), ('é'), ('é'), ('z'), ('\U0001f6cd'), ('ﬀ'), (''), (' a'), ('a '), ('Å'), "
    "(CAST(NULL AS VARCHAR))",
    "x",
)
PAIRS = of("(1, 2), (3, 1), (CAST(NULL AS INTEGER), 2), (2, CAST(NULL AS INTEGER)), (NULL, NULL)", "x", "y")
TIED = of(
    "(1, 'a', 3), (1, 'b', 5), (2, CAST(NULL AS VARCHAR), 1), (2, 'c', NULL), (NULL, 'd', 4)", "x", "t", "n"
)
JSON = of(
    """('{"a":"x"}'), ('{"a":1}'), ('{"a":2.5}'), ('{"a":true}'), ('{"a":null}'), ('{"a":""}'),
    ('{"b":{"a":1}}'),
    ('{"a":"é\\n\\"\\u00e9"}'), ('{"a":12345678901234567890}'), ('{}'), (CAST(NULL AS VARCHAR))""",
    "p",
)
NOTHING = "FROM (VALUES (1)) AS given(x) WHERE x > 5"

FUNCTIONS: dict[str, Case] = {
    "abs": Case(f"SELECT x, abs(x) AS y {NUMBERS}"),
    "and, or, not": Case(
        f"SELECT x > 1 AND y > 1 AS a, x > 1 OR y > 1 AS b, NOT x > 1 AS c, x IS NULL OR y = 2 AS d {PAIRS}"
    ),
    "avg": Case(f"SELECT avg(x) AS y {NUMBERS}"),
    "avg of decimals": Case("SELECT avg(x) AS y " + of(money("1", "2", "2"), "x"), [(5 / 3,)]),
    "avg of nothing": Case(
        f"SELECT avg(x) AS y, sum(x) AS z, min(x) AS a, max(x) AS b, count(*) AS n {NOTHING}"
    ),
    "case": Case(
        f"SELECT CASE x WHEN 2 THEN 'two' WHEN NULL THEN 'never' ELSE 'else' END AS a, "
        f"CASE WHEN x > 2 THEN 1 WHEN x > 0 THEN 2 END AS b {NUMBERS}"
    ),
    "cast to whole numbers": Case(
        "SELECT CAST(TRUE AS INTEGER) AS a, CAST('15' AS BIGINT) AS b, CAST(NULL AS INT) AS c"
    ),
    "cast to text": Case(
        "SELECT CAST(7 AS VARCHAR) AS a, CAST(-1.50 AS VARCHAR) AS b, CAST(TRUE AS VARCHAR) AS c, "
        "CAST(CAST('2026-03-29' AS DATE) AS VARCHAR) AS d, CAST(CAST('0.5' AS DECIMAL(18, 6)) AS "
        "VARCHAR) AS e"
    ),
    "cast to double and decimal": Case(
        "SELECT CAST('-1.5' AS DOUBLE) AS a, CAST('1e3' AS DOUBLE) AS b, CAST(x AS DOUBLE) AS c, "
        "CAST(1.0000005e0 AS DECIMAL(18, 6)) AS d, CAST(-0.0000015e0 AS DECIMAL(18, 6)) AS e "
        + of(money("0.1"), "x")
    ),
    "ceil": Case(f"SELECT ceil(x) AS y {DOUBLES}"),
    "floor": Case(f"SELECT floor(x) AS y {DOUBLES}"),
    "floor and ceil of decimals": Case(
        "SELECT floor(x) AS y, ceil(x) AS z " + of(money("2.5", "-2.5"), "x"),
        [(-3, -2), (2, 3)],
    ),
    "coalesce": Case(f"SELECT coalesce(x, y, 0) AS z {PAIRS}"),
    "coalesce of money": Case(
        f"SELECT coalesce(price * quantity, price, CAST(0 AS DECIMAL(18, 6))) AS z {AMOUNTS}"
    ),
    "count": Case(
        f"SELECT count(*) AS a, count(x) AS b, count(DISTINCT x) AS c, count(DISTINCT t) AS d {TIED}"
    ),
    "count with a filter": Case(
        f"SELECT count(*) FILTER (WHERE n > 3) AS a, sum(n) FILTER (WHERE x > 9) AS b {TIED}"
    ),
    "dense_rank": Case(f"SELECT x, n, dense_rank() OVER (ORDER BY x, n NULLS FIRST) AS r {TIED}"),
    "rank": Case(f"SELECT x, n, rank() OVER (ORDER BY x DESC) AS r {TIED}"),
    "row_number": Case(f"SELECT x, n, row_number() OVER (PARTITION BY x ORDER BY n, t) AS r {TIED}"),
    "exists": Case(
        f"SELECT x {NUMBERS} WHERE EXISTS (SELECT 1 FROM (VALUES (2), (NULL)) AS other(y) WHERE "
        "other.y = given.x)"
    ),
    "first_value": Case(
        f"SELECT x, t, first_value(t) OVER (PARTITION BY x ORDER BY n NULLS FIRST) AS a, "
        f"first_value(t IGNORE NULLS) OVER (ORDER BY x, t) AS b {TIED}"
    ),
    "last_value": Case(
        "SELECT x, t, last_value(t) OVER (ORDER BY x, t ROWS BETWEEN UNBOUNDED PRECEDING AND "
        "UNBOUNDED FOLLOWING) AS a, "
        "last_value(t IGNORE NULLS) OVER (ORDER BY x, n, t ROWS BETWEEN UNBOUNDED PRECEDING AND "
        f"CURRENT ROW) AS b {TIED}"
    ),
    "greatest": Case(
        f"SELECT x, y, greatest(x, y) AS z, greatest(x, y, 2) AS a {PAIRS}",
        [(None, None, None, 2), (None, 2, 2, 2), (1, 2, 2, 2), (2, None, 2, 2), (3, 1, 3, 3)],
    ),
    "least": Case(
        f"SELECT x, y, least(x, y) AS z {PAIRS}",
        [(None, None, None), (None, 2, 2), (1, 2, 1), (2, None, 2), (3, 1, 1)],
    ),
    "least of money": Case(f"SELECT least(sum(price), sum(price * quantity)) AS z {AMOUNTS}"),
    "if": Case(f"SELECT if(x > 1, 'more', 'less') AS y {NUMBERS}"),
    "lag": Case(
        f"SELECT x, t, lag(t) OVER (ORDER BY x, t) AS a, lag(n, 2, 9) OVER (ORDER BY x, t) AS b {TIED}"
    ),
    "lead": Case(
        "SELECT x, t, lead(t) OVER (ORDER BY x, t) AS a, lead(n, 1, 0) OVER (PARTITION BY x ORDER BY "
        f"t) AS b {TIED}"
    ),
    "length": Case(f"SELECT x, length(x) AS y {TEXTS}"),
    "max_by": Case(
        f"SELECT max_by(t, n) AS a, min_by(t, n) AS b, max_by(n, t) AS c {TIED}", [("b", None, 4)]
    ),
    "max_by of nothing": Case(f"SELECT max_by(x, x) AS a, min_by(x, x) AS b {NOTHING}"),
    "min, max": Case(f"SELECT min(x) AS a, max(x) AS b {TEXTS}"),
    "min, max of truth": Case(f"SELECT min(x > 0) AS a, max(x > 0) AS b {NUMBERS}"),
    "nullif": Case(f"SELECT nullif(x, '') AS a, coalesce(nullif(x, 'a'), '-') AS b {TEXTS}"),
    "sqrt": Case("SELECT sqrt(x) AS y " + of("(0), (2), (4), (CAST(NULL AS INTEGER))", "x")),
    "sum": Case(f"SELECT sum(x) AS y {NUMBERS}"),
    "sum of money": Case(
        "SELECT sum(price) AS a, sum(price * quantity) AS b, sum(price * quantity) - sum(price) AS c "
        f"{AMOUNTS}"
    ),
    "sum of sums": Case(
        f"SELECT sum(a) + sum(b) AS c, coalesce(sum(a), sum(b)) AS d "
        f"FROM (SELECT sum(price * quantity) AS a, sum(price) AS b {AMOUNTS}) AS sums"
    ),
    "variance": Case(f"SELECT var_samp(x) AS y, sqrt(var_samp(x)) AS z {NUMBERS}"),
    "variance of decimals": Case(f"SELECT var_samp(quantity) AS y {AMOUNTS}"),
    "variance of one": Case("SELECT var_samp(x) AS y " + of("(1)", "x"), [(None,)]),
    "->>": Case(f"SELECT p, p ->> '$.a' AS a, p ->> '$.b.a' AS b {JSON}"),
    "->> of odd keys": Case(
        """SELECT p ->> '$."a b"' AS a, p ->> '$."a.b"' AS b, p ->> '$.a.b' AS c, p ->> '$."ä"' AS d,
        p ->> '$.A' AS e """
        + of("""('{"a b":1,"a.b":"x","a":{"b":3},"ä":4}')""", "p"),
        [("1", "x", "3", "4", None)],
    ),
    "has_key": Case(f"SELECT has_key(p, 'a') AS a, has_key(p, 'A') AS b {JSON}"),
    "item, items": Case(
        "SELECT items(names) AS n, item(names, 1) AS a, item(names, CAST(3 AS BIGINT)) AS b, "
        "item(things, 1).code AS c, "
        "items(things) AS m FROM lists"
    ),
    "ms_of": Case("SELECT ms_of(moment) AS y FROM moments"),
    "whole": Case(
        "SELECT whole(x, 7) AS y, whole(x, 2) + 1 AS z "
        + of("(0), (6), (7), (13), (CAST(NULL AS BIGINT))", "x")
    ),
    "month_start": Case(
        "SELECT x, month_start(x) AS y "
        + of("(0), (58), (59), (14669), (20512), (20513), (CAST(NULL AS BIGINT))", "x")
    ),
    "percentile": Case(
        "SELECT percentile(x, 0.5) AS a, percentile(x, 0.9) AS b, percentile(x, 0) AS c, "
        f"percentile(x, 1) AS d {NUMBERS}"
    ),
    "percentile of decimals": Case(
        "SELECT percentile(x, 0.25) AS a " + of(money("0.000001", "1", "2"), "x"),
        [(0.5000005,)],
    ),
    "percentile of nothing": Case(f"SELECT percentile(x, 0.5) AS a {NOTHING}"),
    "local_ms, local_day": Case(
        "SELECT ms_of(moment) AS x, local_ms(ms_of(moment)) AS y, local_day(ms_of(moment)) AS d FROM moments"
    ),
}
"""What it shows -> the statement. ``lists`` and ``moments`` are relations of the test."""

CONSTRUCTS: dict[str, Case] = {
    "division": Case(
        "SELECT 7 / 2 AS a, x / y AS b, x / nullif(y, 0) AS c, 1 / 3 AS d, CAST(1 AS DECIMAL(18, 6)) "
        "/ 3 AS e, -x / 4 AS f " + of("(1, 0), (CAST(NULL AS INTEGER), 1), (-3, 2)", "x", "y"),
    ),
    "remainder": Case("SELECT x % 7 AS a, (x + 3) % 7 AS b " + of("(-8), (0), (6), (20512)", "x")),
    "between": Case(
        f"SELECT x BETWEEN 1 AND 2 AS a, x NOT BETWEEN 1 AND y AS b, x BETWEEN NULL AND 1 AS c {PAIRS}"
    ),
    "in": Case(
        "SELECT x IN (1, 2) AS a, x IN (1, NULL) AS b, x NOT IN (1, NULL) AS c, x NOT IN (7, 8) AS d "
        f"{NUMBERS}"
    ),
    "in a relation": Case(f"SELECT x {NUMBERS} WHERE x IN (SELECT y FROM (VALUES (2), (7)) AS other(y))"),
    "not in a relation with null": Case(
        f"SELECT x {NUMBERS} WHERE x NOT IN (SELECT y FROM (VALUES (2), (NULL)) AS other(y))", []
    ),
    "like": Case(
        "SELECT x, x LIKE 'a%' AS a, x LIKE '_b' AS b, x LIKE '%\\%' AS c, x LIKE 'A%' AS d, x NOT "
        "LIKE '%''%' AS e "
        + of(
            "('ab'), ('a\\'), ('it''s'), ('A'), ('a\nb'), ('éb'), ('\U0001f6cdb'), (CAST(NULL AS VARCHAR))",
            "x",
        ),
    ),
    "||": Case("SELECT x || '-' || y AS z " + of("('a', 'b'), (NULL, 'b'), ('', '')", "x", "y")),
    "is distinct from": Case(
        f"SELECT x IS DISTINCT FROM y AS a, x IS NOT DISTINCT FROM y AS b, x = y AS c {PAIRS}"
    ),
    "texts as they are": Case(
        "SELECT 'a\\b' AS a, 'it''s' AS b, 'say \"x\"' AS c, '${x} $x' AS d, 'a\nb\tc' AS e, "
        "'\\n\\\\' AS f, '%_' AS g, "
        "'é\U0001f6cd' AS h, '`--/*' AS i",
        [("a\\b", "it's", 'say "x"', "${x} $x", "a\nb\tc", "\\n\\\\", "%_", "é\U0001f6cd", "`--/*")],
    ),
    "order of texts": Case(
        f"SELECT x, row_number() OVER (ORDER BY x) AS a, row_number() OVER (ORDER BY x DESC) AS b {TEXTS}"
    ),
    "comparison of texts": Case(f"SELECT x, x < 'b' AS a, x = 'a' AS b, x = 'é' AS c {TEXTS}"),
    "frames": Case(
        "SELECT x, n, sum(n) OVER (ORDER BY x) AS a, sum(n) OVER (ORDER BY x, n ROWS BETWEEN 1 "
        "PRECEDING AND CURRENT ROW) "
        "AS b, count(*) OVER (ORDER BY n RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS c, count(*) "
        "OVER (PARTITION BY x) "
        f"AS d, min(n) OVER (ORDER BY x, n ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS e {TIED}"
    ),
    "groups of null": Case(f"SELECT x, count(*) AS n, sum(n) AS s {TIED} GROUP BY x HAVING count(*) > 0"),
    "joins": Case(
        "SELECT one.x, other.y FROM (VALUES (1), (2), (NULL)) AS one(x) "
        "FULL JOIN (VALUES (2), (3), (NULL)) AS other(y) ON other.y = one.x"
    ),
    "cross join": Case(
        "SELECT x, y FROM (VALUES (1), (2)) AS one(x) CROSS JOIN (VALUES ('a'), ('b')) AS other(y)"
    ),
    "distinct": Case(f"SELECT DISTINCT x {NUMBERS}"),
    "union": Case(
        "SELECT x FROM (VALUES (1), (1), (NULL)) AS a(x) UNION SELECT y FROM (VALUES (1), (NULL)) AS b(y)"
    ),
    "union all": Case(
        "SELECT CAST(1 AS DECIMAL(18, 6)) AS x UNION ALL SELECT CAST('0.000000001' AS DECIMAL(38, 9)) AS x"
    ),
    "except, intersect": Case(
        "SELECT x FROM (VALUES (1), (2), (NULL)) AS a(x) EXCEPT SELECT y FROM (VALUES (2)) AS b(y)"
    ),
    "dates": Case(
        "SELECT x, x < CAST('2026-03-29' AS DATE) AS a, x BETWEEN CAST('2026-03-28' AS DATE) AND "
        "CAST('2026-03-29' AS DATE) "
        "AS b " + of("(CAST('2026-03-28' AS DATE)), (CAST('2026-03-29' AS DATE)), (CAST(NULL AS DATE))", "x")
    ),
    "recursion": Case(
        "WITH RECURSIVE steps AS (SELECT CAST(1 AS BIGINT) AS n UNION ALL SELECT n + 1 AS n FROM "
        "steps WHERE n < 150) "
        "SELECT count(*) AS a, max(n) AS b FROM steps",
        [(150, 150)],
    ),
    "decimals and doubles": Case(
        "SELECT x = 0.1 AS a, x = 0.1e0 AS b, x * 2 AS c, x + 1 AS d, -x AS e " + of(money("0.1"), "x")
    ),
}
"""The same for what is no function."""
