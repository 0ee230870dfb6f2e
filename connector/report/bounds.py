"""
Bounds beside lists of texts, for DuckDB. Pure.

Of ``event IN ('a', 'b')`` its Parquet reader uses no more than to pass over row groups, and unpacks every
column of all other rows. ``event >= 'a' AND event <= 'b'`` it applies first, and then unpacks the rows that
are left. The order of texts is that of their UTF-8, here and there.
"""

from __future__ import annotations

from sqlglot import exp


def add_bounds(tree: exp.Expr) -> None:
    """Write them into a tree, in place: it means the same with them."""
    for node in list(tree.find_all(exp.In)):
        if isinstance(node.this, exp.Column) and node.expressions and all(map(_is_text, node.expressions)):
            texts = sorted(item.this for item in node.expressions)
            least, greatest = exp.Literal.string(texts[0]), exp.Literal.string(texts[-1])
            between = exp.Between(this=node.this.copy(), low=least, high=greatest)
            node.replace(exp.paren(exp.and_(between, node.copy(), copy=False)))


def _is_text(item: exp.Expr) -> bool:
    return isinstance(item, exp.Literal) and item.is_string
