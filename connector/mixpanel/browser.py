"""Browser and version from a user agent. Source: action-destinations 3.497.0, mixpanel/common/utils."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class Browser(NamedTuple):
    name: str
    """``""`` when nothing in the text names one."""
    version: str | None
    """At least two numbers with dots between; None when the browser's own marker names none."""


_BLACKBERRY = re.compile("BlackBerry|PlayBook|BB10", re.IGNORECASE | re.ASCII)
_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Internet Explorer Mobile", ("IEMobile", "WPDesktop")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Microsoft Edge", ("Edge", "Edg/")),
    ("Facebook Mobile", ("FBIOS",)),
    ("Chrome", ("Chrome",)),
    ("Chrome iOS", ("CriOS",)),
    ("UC Browser", ("UCWEB", "UCBrowser")),
    ("Firefox iOS", ("FxiOS",)),
    ("Safari", ("Safari",)),
    ("Android Mobile", ("Android",)),
    ("Konqueror", ("Konqueror",)),
    ("Firefox", ("Firefox",)),
    ("Internet Explorer", ("MSIE", "Trident/")),
    ("Mozilla", ("Gecko",)),
)
"""Browser and the marks it goes by, case-sensitive; the first that is found decides."""
_VERSION_MARKS: Mapping[str, str] = {
    "Internet Explorer Mobile": "rv:",
    "Microsoft Edge": "Edge?/",
    "Chrome": "Chrome/",
    "Chrome iOS": "CriOS/",
    "UC Browser": "(?:UCBrowser|UCWEB)/",
    "Safari": "Version/",
    "Mobile Safari": "Version/",
    "Opera": "(?:Opera|OPR)/",
    "Firefox": "Firefox/",
    "Firefox iOS": "FxiOS/",
    "Konqueror": "Konqueror:",
    "BlackBerry": "BlackBerry ",
    "Android Mobile": r"android[\s\ufeff]",
    "Samsung Internet": "SamsungBrowser/",
    "Internet Explorer": "(?:rv:|MSIE )",
    "Mozilla": "rv:",
}
_VERSIONS = {
    name: re.compile(rf"{mark}([0-9]+(?:\.[0-9]+)+)", re.UNICODE) for name, mark in _VERSION_MARKS.items()
}


@lru_cache(maxsize=4096)
def browser_of(user_agent: str) -> Browser:
    """The browser that Segment's Mixpanel destination reads from a user agent."""
    name = _name(user_agent)
    pattern = _VERSIONS.get(name)
    found = pattern.search(user_agent) if pattern else None
    return Browser(name, found[1] if found else None)


def _name(user_agent: str) -> str:
    if " OPR/" in user_agent:
        return "Opera Mini" if "Mini" in user_agent else "Opera"
    if _BLACKBERRY.search(user_agent):
        return "BlackBerry"
    name = next((name for name, marks in _MARKS if any(mark in user_agent for mark in marks)), "")
    return "Mobile Safari" if name == "Safari" and "iPhone" in user_agent else name
