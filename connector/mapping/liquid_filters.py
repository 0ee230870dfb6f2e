"""LiquidJS's filters, as far as Segment leaves them on. Source: mapping-kit 4 (liquidjs 10.27.2).

A filter is ``(value, *arguments) -> value``. Numbers are doubles and divide as such.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from connector.errors import MappingError
from connector.mapping.jsjson import stringify
from connector.mapping.jsvalues import (
    JS_WHITESPACE,
    UNDEFINED,
    as_json,
    is_missing,
    text_of,
    utf16_length,
    utf16_units,
)
from connector.mapping.liquid_dates import date, written_date
from connector.mapping.liquid_values import (
    MAX_CHARACTERS,
    MEMORY_EXCEEDED,
    equals,
    is_true,
    member,
    number,
    plain,
    text,
)

Filter = Callable[..., Any]

_EPSILON = 2.0**-52
_SPACES = re.compile(f"[{JS_WHITESPACE}]+")
_NEWLINES = re.compile(r"\r?\n")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_ENTITY = re.compile("&(?:amp|lt|gt|#34|#39);")
_BLOCKS = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">"))
_URL_SAFE = "!'()*-._~"


def _double(value: Any) -> float:
    """Return a value as a number, 0 when it is none."""
    double = number(value)
    return 0.0 if math.isnan(double) else double


def _arithmetic(calculate: Callable[..., float]) -> Filter:
    def filter_(value: Any, *arguments: Any) -> float:
        result: float = calculate(_double(value), *map(_double, arguments))
        return result

    return filter_


def _divided(dividend: float, divisor: float = math.nan, whole: float = 0) -> float:
    if divisor:
        quotient = dividend / divisor
    else:
        same_sign = math.copysign(1, dividend) == math.copysign(1, divisor)
        quotient = math.copysign(math.inf, 1 if same_sign else -1) if dividend else math.nan
    return float(math.floor(quotient)) if whole and math.isfinite(quotient) else quotient


def _modulo(value: float, divisor: float = math.nan) -> float:
    if not divisor or math.isinf(value) or math.isnan(divisor):
        return math.nan
    return math.fmod(math.fmod(value, divisor) + divisor, divisor)


def _whole(rounded: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(rounded(value)) if math.isfinite(value) else value


def _round(value: Any, digits: Any = 0) -> float:
    power = math.pow(10, _double(digits))
    scaled = _double(value) * power * (1 + _EPSILON)
    return (float(math.floor(scaled + 0.5)) if math.isfinite(scaled) else scaled) / power


def _expect(characters: int) -> None:
    """Raise ``MappingError`` before a result that is too long is made."""
    if characters > MAX_CHARACTERS:
        raise MappingError(MEMORY_EXCEEDED)


def _needs(count: int, name: str, filter_: Filter) -> Filter:
    """Return a filter that fails as LiquidJS does when an argument is missing."""

    def checked(*arguments: Any) -> Any:
        if len(arguments) != count:
            raise MappingError(f"{name} expect {count} arguments")
        return filter_(*arguments)

    return checked


def _on_text(change: Callable[..., Any]) -> Filter:
    """Return a filter of texts: the value and its arguments are read as text."""
    return lambda value, *arguments: change(text(value), *map(text, arguments))


def _trim(side: Callable[[str, str], str]) -> Filter:
    return lambda value, characters="": side(text(value), text(characters) or JS_WHITESPACE)


def _capitalize(value: str) -> str:
    return value[:1].upper() + value[1:].lower()


def _remove(value: str, removed: str = "") -> str:
    return value.replace(removed, "") if removed else value


def _remove_last(value: str, removed: str = "") -> str:
    return _replace_last(value, removed, "")


def _replace(value: str, pattern: str = "", replacement: str = "") -> str:
    _expect(value.count(pattern) * len(replacement))
    return value.replace(pattern, replacement) if pattern else replacement.join(value)


def _replace_last(value: str, pattern: str = "", replacement: str = "") -> str:
    before, found, after = value.rpartition(pattern) if pattern else (value, "", "")
    return before + (replacement if found or not pattern else "") + after


def _split(value: str, separator: str = "") -> list[str]:
    pieces = value.split(separator) if separator else list(value)
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces


def _truncate(value: Any, length: Any = 50, ending: Any = "...") -> Any:
    whole, limit = text(value), number(length)
    if utf16_length(whole) <= limit:
        return value
    kept = 0 if math.isnan(limit) else max(0, int(limit) - utf16_length(text(ending)))
    return _paired(utf16_units(whole)[:kept]) + text(ending)


def _paired(units: list[str]) -> str:
    """Return the text that UTF-16 units make; a half of a character stays one."""
    encoded = "".join(units).encode("utf-16-le", "surrogatepass")
    return encoded.decode("utf-16-le", "surrogatepass")


def _truncate_words(value: Any, count: Any = 15, ending: Any = "...") -> str:
    if math.isnan(number(count)):
        return ""
    words, limit = _SPACES.split(text(value)), max(1, int(number(count)))
    return " ".join(words[:limit]) + (text(ending) if len(words) >= limit else "")


def _number_of_words(value: Any, mode: Any = None) -> int:
    if mode in ("cjk", "auto"):
        raise MappingError("@liquid number_of_words counts words only")
    stripped = text(value).strip(JS_WHITESPACE)
    return len(_SPACES.split(stripped)) if stripped else 0


def _escape(value: str) -> str:
    return "".join(_ENTITIES.get(char, char) for char in value)


def _strip_html(value: str) -> str:
    """Remove tags, and comments, scripts and styles whole; what never ends is looked for once."""
    blocks = dict(_BLOCKS)
    pieces, position = [], 0
    while (start := value.find("<", position)) >= 0:
        end = _end_of_tag(value, start, blocks)
        if end < 0:
            break
        pieces.append(value[position:start])
        position = end
    return "".join([*pieces, value[position:]])


def _end_of_tag(value: str, start: int, blocks: dict[str, str]) -> int:
    for opening, closing in tuple(blocks.items()):
        if value.startswith(opening, start):
            end = value.find(closing, start + len(opening))
            if end >= 0:
                return end + len(closing)
            del blocks[opening]
    return -1


def _unescape(value: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), value)


def _url_decode(value: str) -> str:
    try:
        if re.search("%(?![0-9a-fA-F]{2})", value):
            raise ValueError
        return unquote(value, errors="strict").replace("+", " ")
    except ValueError:
        raise MappingError("URI malformed") from None


def _url_encode(value: str, safe: str = _URL_SAFE) -> str:
    try:
        return quote(value, safe=safe).replace("%20", "+")
    except UnicodeEncodeError:
        raise MappingError("URI malformed") from None


def _list(value: Any) -> list[Any]:
    value = plain(value)
    if is_missing(value):
        return []
    return value if isinstance(value, list) else [value]


def _join(value: Any, separator: Any = None) -> str:
    joint = " " if is_missing(separator) else text(separator)
    _expect(len(_list(value)) * len(joint))
    return joint.join("" if is_missing(item) else text_of(plain(item)) for item in _list(value))


def _end(index: int) -> Filter:
    def filter_(value: Any) -> Any:
        items = plain(value)
        if isinstance(items, str):
            items = utf16_units(items)
        if not isinstance(items, list):
            return ""
        return items[index] if items else UNDEFINED

    return filter_


def _size(value: Any) -> int:
    value = plain(value)
    if isinstance(value, str):
        return utf16_length(value)
    return len(value) if isinstance(value, list) else 0


def _slice(value: Any, begin: Any = 0, length: Any = 1) -> Any:
    value = plain(value)
    if is_missing(value):
        return []
    items = value if isinstance(value, list) else utf16_units(text(value))
    if math.isnan(number(begin)) or math.isnan(number(length)):
        return [] if isinstance(value, list) else ""
    start, count = int(number(begin)), int(number(length))
    start = len(items) + start if start < 0 else start
    found = [] if start < 0 or count < 0 else items[start : start + count]
    return found if isinstance(value, list) else _paired(found)


def _sum(value: Any, key: Any = None) -> float:
    items = (_at(item, key) if key else item for item in _list(value))
    return math.fsum(found for item in items if not math.isnan(found := number(item)))


def _at(item: Any, path: Any) -> Any:
    for key in text(path).split("."):
        item = member(item, key)
    return item


def _where(value: Any, key: Any = "", *expected: Any) -> list[Any]:
    if expected:
        return [item for item in _list(value) if equals(_at(item, key), expected[0])]
    return [item for item in _list(value) if is_true(_at(item, key))]


def _default(value: Any, instead: Any = UNDEFINED, *, allow_false: Any = False) -> Any:
    value = plain(value)
    if isinstance(value, str | list):
        return value or instead
    if value is False and allow_false:
        return False
    return value if is_true(value) else instead


FILTERS: Mapping[str, Filter] = {
    "abs": _arithmetic(abs),
    "at_least": _arithmetic(lambda *values: max(values)),
    "at_most": _arithmetic(lambda *values: min(values)),
    "ceil": _arithmetic(_whole(math.ceil)),
    "divided_by": _arithmetic(_divided),
    "floor": _arithmetic(_whole(math.floor)),
    "minus": _arithmetic(lambda value, other=math.nan: value - other),
    "plus": _arithmetic(lambda value, other=math.nan: value + other),
    "modulo": _arithmetic(_modulo),
    "times": _arithmetic(lambda value, other=math.nan: value * other),
    "round": _round,
    "append": _needs(2, "append", _on_text(lambda value, added: value + added)),
    "prepend": _needs(2, "prepend", _on_text(lambda value, added: added + value)),
    "lstrip": _trim(str.lstrip),
    "rstrip": _trim(str.rstrip),
    "strip": _trim(str.strip),
    "downcase": _on_text(str.lower),
    "upcase": _on_text(str.upper),
    "capitalize": _on_text(_capitalize),
    "remove": _on_text(_remove),
    "remove_first": _on_text(lambda value, removed="": value.replace(removed, "", 1)),
    "remove_last": _on_text(_remove_last),
    "replace": _on_text(_replace),
    "replace_first": _on_text(lambda value, pattern="", new="": value.replace(pattern, new, 1)),
    "replace_last": _on_text(_replace_last),
    "split": _on_text(_split),
    "strip_newlines": _on_text(lambda value: _NEWLINES.sub("", value)),
    "normalize_whitespace": _on_text(lambda value: _SPACES.sub(" ", value)),
    "number_of_words": _number_of_words,
    "truncate": _truncate,
    "truncatewords": _truncate_words,
    "escape": _on_text(_escape),
    "xml_escape": _on_text(_escape),
    "escape_once": _on_text(lambda value: _escape(_unescape(value))),
    "strip_html": _on_text(_strip_html),
    "url_decode": _on_text(_url_decode),
    "url_encode": _on_text(_url_encode),
    "cgi_escape": _on_text(lambda value: _url_encode(value, safe="-._~")),
    "join": _join,
    "first": _end(0),
    "last": _end(-1),
    "size": _size,
    "slice": _slice,
    "sum": _sum,
    "compact": lambda value: [item for item in _list(value) if not is_missing(item)],
    "push": lambda value, item=UNDEFINED: [*_list(value), item],
    "unshift": lambda value, item=UNDEFINED: [item, *_list(value)],
    "pop": lambda value: _list(value)[:-1],
    "shift": lambda value: _list(value)[1:],
    "where": _where,
    "default": _default,
    "json": lambda value: stringify(plain(value)),
    "jsonify": lambda value: stringify(plain(value)),
    "inspect": lambda value: stringify(as_json(plain(value))),
    "to_integer": number,
    "raw": lambda value: value,
    "date": date,
    "date_to_xmlschema": lambda value: date(value, "%Y-%m-%dT%H:%M:%S%:z"),
    "date_to_rfc822": lambda value: date(value, "%a, %d %b %Y %H:%M:%S %z"),
    "date_to_string": written_date("%b"),
    "date_to_long_string": written_date("%B"),
}
