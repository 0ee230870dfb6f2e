"""Whether two engines say the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two answers differ: in a type, in a value; doubles only beyond 1e-9 of their size."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        found = [f"{place}: {sorted(one)} and {sorted(other)}"] if list(one) != list(other) else []
        return found + [
            text for name in one for text in differences(one[name], other.get(name), f"{place}.{name}")
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        found = [f"{place}: {len(one)} and {len(other)} rows"] if len(one) != len(other) else []
        pairs = enumerate(zip(one, other, strict=False))
        return found + [text for at, pair in pairs for text in differences(*pair, f"{place}[{at}]")]
    if isinstance(one, float) and isinstance(other, float):
        alike = one == pytest.approx(other, rel=1e-9, abs=1e-12) or (math.isnan(one) and math.isnan(other))
        return [] if alike else [f"{place}: {one!r} and {other!r}"]
    return [] if type(one) is type(other) and one == other else [f"{place}: {one!r} and {other!r}"]


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a statement without an order, in one."""
    return sorted(
        map(dict, rows), key=lambda row: [(value is not None, repr(value)) for value in row.values()]
    )
