"""``JSON.stringify`` and ``JSON.parse`` as JavaScript does them. Source: mapping-kit 4, ``@json``."""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from connector.events import Json
from connector.mapping.jsvalues import UNDEFINED, double, in_key_order, number_text

_SURROGATE = re.compile("[\ud800-\udfff]")
_SAFE_DIGITS = 15
_LARGEST_POSITIONAL = 1e21


def stringify(value: Json) -> Json:
    """
    Return compact JSON text: no blanks, non-ASCII raw, numbers and key order as JavaScript has them.

    Undefined keys are left out and undefined items become null; ``UNDEFINED`` itself gives ``UNDEFINED``.
    """
    return UNDEFINED if value is UNDEFINED else _encode(value)


def _encode(value: Json) -> str:
    if value is None or value is UNDEFINED:
        return "null"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value) if math.isfinite(double(value)) else "null"
    if isinstance(value, list):
        return f"[{','.join([_encode(item) for item in value])}]"
    members = [f"{_quote(key)}:{_encode(value[key])}" for key in _present_keys(value)]
    return f"{{{','.join(members)}}}"


def _present_keys(value: dict[str, Json]) -> list[str]:
    return in_key_order(key for key, item in value.items() if item is not UNDEFINED)


def _quote(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isascii() or _SURROGATE.search(quoted) is None:
        return quoted
    paired = quoted.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", paired)


def parse(text: str) -> Json:
    """
    Return the decoded value, or the text itself when it is not JSON.

    Numbers are doubles: an integer beyond 2**53 becomes the integer JavaScript would print, a number beyond
    the range of doubles an infinity.
    """
    try:
        return json.loads(text, parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _integer(digits: str) -> int | float:
    if len(digits) <= _SAFE_DIGITS:
        return int(digits)
    number = float(digits)
    return int(number_text(number)) if abs(number) < _LARGEST_POSITIONAL else number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
