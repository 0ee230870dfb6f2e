"""What people brought by a time after their birth: sums of a property over their returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

from sqlglot import exp

from connector.errors import ConfigError
from connector.report.answer import Row
from connector.report.asking import Asking
from connector.report.clock import number_of
from connector.report.compose import Composition
from connector.report.filters import value_of
from connector.report.statistics import ratio
from connector.tables import EVENTS

_NO_CURRENCY = exp.cast(exp.null(), "varchar")


class Amounts(NamedTuple):
    """Sums by bucket, currency and bracket, and what nothing is in their type."""

    rows: Sequence[Row]
    zero: Any


def amounts_of(asking: Asking, composition: Composition, name: str) -> Amounts:
    """
    Sums of a column over the return events.

    Money is summed per currency. ``order_revenue`` counts for the first report of an order alone.

    Args:
        composition: of the retention report; gets the views of the amounts.

    Raises:
        ConfigError: this is no numeric column.
    """
    amount, kind = value_of(name, "sum-of")
    column = EVENTS.by_name.get(amount.name)
    if kind != "number" or column is None:
        raise ConfigError("sum-of: this is no column of numbers, as order_revenue is")
    own = {"amount": amount, "currency": exp.column("currency") if column.code == "M" else _NO_CURRENCY}
    composition.define("retention_amounts", "retention_amounts", own)
    counted = "retention_sales" if column.name == "order_revenue" else "retention_amounts"
    composition.define("retention_values", "retention_values", tables={"amounts": counted})
    rows = asking.rows(composition, "retention_values", "bucket, currency NULLS FIRST, bracket")
    return Amounts(rows, Decimal(0) if column.code in ("M", "Q") else 0)


def with_values(rows: Iterable[Row], amounts: Amounts, brackets: int) -> list[Row]:
    """Each row of people once per currency, with the sum of all brackets up to its own."""
    sums: dict[tuple[int, str | None], list[Any]] = {}
    for row in amounts.rows:
        cells = sums.setdefault((int(row["bucket"]), row["currency"]), [amounts.zero] * brackets)
        cells[int(row["bracket"])] += row["amount"]
    running = {key: list(accumulate(cells)) for key, cells in sums.items()}
    found_currencies = {currency for _, currency in sums} or {None}
    currencies = sorted(found_currencies, key=lambda name: (name is None, name or ""))
    found = []
    for at, row in enumerate(rows):
        for currency in currencies:
            own = running.get((number_of(row["bucket"]), currency))
            value = own[at % brackets] if own else amounts.zero
            found.append(
                {**row, "currency": currency, "value": value, "value_per_person": ratio(value, row["size"])}
            )
    return found


def value_averages(rows: Iterable[Row]) -> list[Row]:
    """Pooled over complete buckets, per k and currency: sum of values / sum of people."""
    pooled: dict[tuple[int, str | None], Row] = {}
    for row in rows:
        key = (row["k"], row["currency"])
        empty = {"k": row["k"], "k_last": row["k_last"], "currency": row["currency"], "size": 0, "value": 0}
        own = pooled.setdefault(key, empty)
        if row["complete"]:
            own["size"] += row["size"]
            own["value"] += row["value"]
    return [{**own, "value_per_person": ratio(own["value"], own["size"])} for own in pooled.values()]
