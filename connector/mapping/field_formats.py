"""Formats that a field's text may have to meet. Source: mapping-kit 9 (ajv-formats 2.1.1, full mode)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from connector.mapping.jsdates import is_date_like
from connector.mapping.jsvalues import JS_WHITESPACE

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)?\Z")
_DATE_TIME_SEPARATOR = re.compile(rf"[tT{JS_WHITESPACE}]")
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE | re.ASCII)

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_EMAIL_LABEL}\.)+{_EMAIL_LABEL}\Z", re.IGNORECASE | re.ASCII)
_HOST_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME = re.compile(
    rf"(?=.{{1,253}}\.?\Z){_HOST_LABEL}(?:\.{_HOST_LABEL})*\.?\Z", re.IGNORECASE | re.ASCII
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}\Z")

_ESCAPED = r"%[0-9a-f]{2}"
_SEGMENT = rf"(?:[a-z0-9._~!$&'\"()*+,;=:@-]|{_ESCAPED})"
_AUTHORITY = (
    rf"(?:(?:[a-z0-9._~!$&'()*+,;=:-]|{_ESCAPED})*@)?"
    rf"(?:\[(?P<literal>[^\]]*)\]|(?:[a-z0-9._~!$&'()*+,;=-]|{_ESCAPED})*)(?::[0-9]*)?"
)
_PATH = rf"(?://{_AUTHORITY}(?:/{_SEGMENT}*)*|/?(?:{_SEGMENT}+(?:/{_SEGMENT}*)*)|/)"
_TAIL = rf"(?:\?(?:{_SEGMENT}|[/?])*)?(?:\#(?:{_SEGMENT}|[/?])*)?\Z"
_SCHEME = r"[a-z][a-z0-9+.-]*:"
_URI = re.compile(rf"{_SCHEME}{_PATH}{_TAIL}", re.IGNORECASE | re.ASCII)
_URI_REFERENCE = re.compile(rf"(?:{_SCHEME})?{_PATH}?{_TAIL}", re.IGNORECASE | re.ASCII)
_IP_FUTURE = re.compile(r"v[0-9a-f]+\.[a-z0-9._~!$&'()*+,;=:-]+\Z", re.IGNORECASE | re.ASCII)


def _is_date(text: str) -> bool:
    match = _DATE.match(text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month - 1] + (month == 2 and is_leap)


def _is_time(text: str) -> bool:
    match = _TIME.match(text)
    if match is None:
        return False
    hour, minute, second = map(int, match.groups())
    return (hour < 24 and minute < 60 and second < 60) or (hour, minute, second) == (23, 59, 60)


def _is_date_time(text: str) -> bool:
    parts = _DATE_TIME_SEPARATOR.split(text)
    return len(parts) == 2 and _is_date(parts[0]) and _is_time(parts[1])


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_uri_of(grammar: re.Pattern[str]) -> Callable[[str], bool]:
    def is_uri(text: str) -> bool:
        match = grammar.match(text)
        if match is None:
            return False
        literal = match["literal"]
        return literal is None or _is_ipv6(literal) or _IP_FUTURE.match(literal) is not None

    return is_uri


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.match(text) is not None


def _anything(_text: str) -> bool:
    return True


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_date,
    "date-like": is_date_like,
    "date-time": _is_date_time,
    "email": _matches(_EMAIL),
    "hostname": _matches(_HOSTNAME),
    "ipv4": _matches(_IPV4),
    "ipv6": _is_ipv6,
    "password": _anything,
    "text": _anything,
    "time": _is_time,
    "uri": _is_uri_of(_URI),
    "uri-reference": _is_uri_of(_URI_REFERENCE),
    "uuid": _matches(_UUID),
}
"""Name of a format and what tells whether a text has it."""
