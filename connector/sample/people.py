"""Who visits the sample shop. A person is a function of (seed, number); nobody is kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from connector.events import Json
from connector.sample.dice import Dice

NEVER = 1_000
"""A visit number nobody reaches."""


class Region(NamedTuple):
    city: str
    country: str
    locale: str
    timezone: str
    currency: str
    tax_basis_points: int


class Company(NamedTuple):
    group_id: str
    traits: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Person:
    """
    One visitor: one browser or phone, one account at most.

    ``signs_up_in_visit`` counts visits from 0; from then on ``user_id`` is known. ``clock_skew_ms`` is how
    far the device's clock is ahead of the truth.
    """

    dice: Dice
    anonymous_id: str
    user_id: str
    traits: dict[str, Json]
    region: Region
    company: Company | None
    device: int
    ip: str
    signs_up_in_visit: int
    clock_skew_ms: int


US = (
    Region("New York", "US", "en-US", "America/New_York", "USD", 888),
    Region("Chicago", "US", "en-US", "America/Chicago", "USD", 1_025),
    Region("Austin", "US", "en-US", "America/Chicago", "USD", 825),
    Region("Denver", "US", "en-US", "America/Denver", "USD", 881),
    Region("Los Angeles", "US", "es-US", "America/Los_Angeles", "USD", 950),
    Region("Portland", "US", "en-US", "America/Los_Angeles", "USD", 0),
)
_EU = (
    Region("Berlin", "DE", "de-DE", "Europe/Berlin", "EUR", 1_900),
    Region("Lyon", "FR", "fr-FR", "Europe/Paris", "EUR", 2_000),
    Region("Dublin", "IE", "en-IE", "Europe/Dublin", "EUR", 2_300),
)
_EU_SHARE = 0.07
_BUSINESS_SHARE = 0.12
_FIRST_NAMES = (
    *(
        "Ada",
        "Ben",
        "Carla",
        "Diego",
        "Elif",
        "Femi",
        "Grace",
        "Hugo",
        "Ines",
        "Jonas",
        "Kira",
        "Liam",
        "Mei",
    ),
    *("Nora", "Omar", "Priya", "Quinn", "Rosa", "Sami", "Tess", "Uma", "Victor", "Wanda", "Yusuf", "Zoë"),
)
_LAST_NAMES = (
    *(
        "Abbott",
        "Berger",
        "Castillo",
        "Dubois",
        "Eriksen",
        "Fischer",
        "Garcia",
        "Hansen",
        "Ito",
        "Jensen",
        "Kowalski",
    ),
    *(
        "Lopez",
        "Müller",
        "Nguyen",
        "Okafor",
        "Patel",
        "Reyes",
        "Silva",
        "Turner",
        "Usman",
        "Vega",
        "Weber",
        "Young",
    ),
)
_TRADES = ("Hospitality", "Education", "Design Studio", "Construction", "Healthcare")
_PLANS = ("starter", "business", "enterprise")
_ADDRESS_BLOCKS = ("192.0.2", "198.51.100", "203.0.113")
_SIGN_UP_VISITS = (0, 0, 0, 0, 0, 1, 1, 2, NEVER, NEVER)


def person(seed: int, number: int) -> Person:
    """
    The person of a number (any integer).

    Addresses, phone numbers and mail domains are the ones reserved for documentation, so no sample ever
    reaches a real person.
    """
    dice = Dice(seed, "person", number)
    region = dice.one_of(_EU if dice.chance(_EU_SHARE, "abroad") else US, "region")
    company = _company(dice) if dice.chance(_BUSINESS_SHARE, "business") else None
    return person_of(dice, region, company)


def person_of(dice: Dice, region: Region, company: Company | None) -> Person:
    """Somebody whose every choice but home and employer is ``dice``'s."""
    return Person(
        dice=dice,
        anonymous_id=dice.uuid("anonymous id"),
        user_id=f"cus_{dice.hex(14, 'user id')}",
        traits=_traits(dice, region),
        region=region,
        company=company,
        device=dice.number("device"),
        ip=f"{dice.one_of(_ADDRESS_BLOCKS, 'block')}.{dice.between(1, 254, 'host')}",
        signs_up_in_visit=dice.one_of(_SIGN_UP_VISITS, "sign up"),
        clock_skew_ms=_clock_skew_ms(dice),
    )


def _traits(dice: Dice, region: Region) -> dict[str, Json]:
    first, last = dice.one_of(_FIRST_NAMES, "first name"), dice.one_of(_LAST_NAMES, "last name")
    traits: dict[str, Json] = {
        "email": f"shopper.{dice.hex(10, 'mailbox')}@example.com",
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "address": {"city": region.city, "country": region.country},
        "locale": region.locale,
        "currency": region.currency,
    }
    if region.country == "US":
        traits["phone"] = f"+1-202-555-01{dice.below(100, 'phone'):02}"
    return traits


def _company(dice: Dice) -> Company:
    """One of 500 companies; its traits depend on its own number alone, so colleagues agree on them."""
    number = dice.below(500, "company")
    own = Dice("company", number)
    trade = own.one_of(_TRADES, "trade")
    return Company(
        group_id=f"org_{number:04}",
        traits={
            "name": f"{own.one_of(_LAST_NAMES, 'founder')} {trade}",
            "industry": trade,
            "employees": own.between(3, 900, "employees"),
            "plan": own.one_of(_PLANS, "plan"),
        },
    )


def _clock_skew_ms(dice: Dice) -> int:
    """Mostly within two seconds; every thirtieth device is off by up to an hour."""
    bound_ms = 3_600_000 if dice.chance(1 / 30, "wrong clock") else 2_000
    return dice.between(-bound_ms, bound_ms, "skew")
