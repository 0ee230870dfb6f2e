"""The ``context`` of a message: what the library, the device and the page say about themselves."""

from __future__ import annotations

from typing import Literal, NamedTuple

from connector.events import Json
from connector.sample.dice import Dice
from connector.sample.people import Person
from connector.sample.shop import ORIGIN

Sender = Literal["browser", "ios", "android", "server"]


class Device(NamedTuple):
    """A browser or a phone with the shop's app; ``context`` is the part every owner shares."""

    sender: Sender
    context: dict[str, Json]


class Landing(NamedTuple):
    """Where a visit came from."""

    referrer: str
    search: str
    campaign: dict[str, Json] | None


def device_of(person: Person) -> Device:
    """The one device of a person."""
    return _DEVICES[person.device % len(_DEVICES)]


def browser_of(person: Person) -> Device:
    """The one device of a person who has not got the app."""
    return _BROWSERS[person.device % len(_BROWSERS)]


def landing_of(dice: Dice) -> Landing:
    """A campaign for about a third of the visits, else a search engine or nothing."""
    return dice.one_of(_LANDINGS, "landing")


def visit_context(person: Person, device: Device, landing: Landing, *, carrier: Dice) -> dict[str, Json]:
    """What every message of one visit has in common, all but ``page``."""
    context: dict[str, Json] = {
        **device.context,
        "ip": person.ip,
        "locale": person.region.locale,
        "timezone": person.region.timezone,
        "location": {"city": person.region.city, "country": person.region.country},
        "consent": {"categoryPreferences": _consent(person)},
    }
    if landing.campaign:
        context["campaign"] = landing.campaign
    if device.sender != "browser":
        wifi = carrier.chance(0.6, "wifi")
        context["network"] = {
            "bluetooth": False,
            "carrier": carrier.one_of(_CARRIERS, "carrier"),
            "cellular": not wifi,
            "wifi": wifi,
        }
        context["device"] = {**device.context["device"], **_hardware_ids(person, device.sender)}
    return context


def page(path: str, title: str, *, referrer: str = "", search: str = "") -> dict[str, Json]:
    """``context.page``, and the properties every page call starts with."""
    return {
        "path": path,
        "referrer": referrer,
        "search": search,
        "title": f"{title} · Alder Lane",
        "url": f"{ORIGIN}{path}{search}",
    }


def _consent(person: Person) -> dict[str, Json]:
    return {
        "necessary": True,
        "analytics": True,
        "functional": person.dice.chance(0.9, "functional"),
        "advertising": person.dice.chance(0.6, "advertising"),
    }


def _hardware_ids(person: Person, sender: Sender) -> dict[str, Json]:
    device_id, advertising_id = person.dice.uuid("device id"), person.dice.uuid("advertising id")
    if sender == "ios":
        return {"id": device_id.upper(), "adTrackingEnabled": False}
    return {"id": device_id, "advertisingId": advertising_id, "adTrackingEnabled": True}


def _browser(user_agent: str, width: int, height: int, density: float, platform: str = "") -> Device:
    """A browser; ``platform`` only for those that send user agent client hints."""
    context: dict[str, Json] = {
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        "userAgent": user_agent,
        "screen": {"width": width, "height": height, "density": density},
    }
    if platform:
        brands = [
            {"brand": "Not:A-Brand", "version": "8"},
            {"brand": "Chromium", "version": "143"},
            {"brand": "Google Chrome", "version": "143"},
        ]
        context["userAgentData"] = {"brands": brands, "mobile": platform == "Android", "platform": platform}
    return Device("browser", context)


def _phone(
    sender: Sender, library: str, system: str, version: str, maker: str, model: str, agent: str
) -> Device:
    return Device(
        sender,
        {
            "library": {"name": library, "version": "1.7.3" if sender == "ios" else "1.19.1"},
            "userAgent": agent,
            "app": {
                "name": "Alder Lane",
                "version": "5.12.0",
                "build": "5120",
                "namespace": "example.alderlane.shop",
            },
            "device": {"manufacturer": maker, "model": model, "name": model, "type": sender},
            "os": {"name": system, "version": version},
            "screen": {"width": 393, "height": 852, "density": 3},
        },
    )


_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0"
_DESKTOPS = (
    _browser(f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36", 1920, 1080, 1, "Windows"),
    _browser(
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_CHROME} Safari/537.36", 1728, 1117, 2, "macOS"
    ),
    _browser(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0", 1536, 864, 1.25
    ),
)
_HANDHELDS = (
    _browser(
        f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36", 412, 915, 2.625, "Android"
    ),
    _browser(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.1 Mobile/15E148 Safari/604.1",
        *(393, 852, 3),
    ),
)
_APPS = (
    _phone(
        "ios",
        "analytics-swift",
        "iOS",
        "26.1",
        "Apple",
        "iPhone16,1",
        "AlderLane/5120 CFNetwork/3860 Darwin/25.1.0",
    ),
    _phone(
        "android",
        "analytics-kotlin",
        "Android",
        "16",
        "Google",
        "Pixel 9",
        "Dalvik/2.1.0 (Linux; U; Android 16; Pixel 9)",
    ),
)
_BROWSERS = (*_DESKTOPS, *_DESKTOPS, *_HANDHELDS)
_DEVICES = (*_BROWSERS, *_APPS)
_CARRIERS = ("T-Mobile", "Verizon", "AT&T", "Vodafone")


def _campaign(source: str, medium: str, name: str, content: str) -> Landing:
    search = f"?utm_source={source}&utm_medium={medium}&utm_campaign={name}&utm_content={content}"
    campaign = {"source": source, "medium": medium, "name": name, "content": content}
    return Landing("", search, campaign)


_LANDINGS = (
    Landing("", "", None),
    Landing("", "", None),
    Landing("https://www.google.com/", "", None),
    Landing("https://duckduckgo.com/", "", None),
    _campaign("newsletter", "email", "january_letter", "main_button"),
    _campaign("google", "cpc", "brand_search", "headline_b"),
)
SERVER_CONTEXT: dict[str, Json] = {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}}
