"""The departments of the sample store: five articles each, and how many people do what there."""

from __future__ import annotations

from typing import NamedTuple

from connector.sample import shop

GROUP = 1_000
"""People come in groups of this many, so that every department's prices are dealt out evenly."""


class Department(NamedTuple):
    """
    One category. The numbers are people, and purchased products, of every 2,000 people.

    ``converted`` bought within days of looking, ``late`` more than a week after it, ``unviewed`` without
    looking; ``product_rows`` counts all products on orders, each article equally often.
    """

    shelf: shop.Category
    viewers: int
    converted: int
    late: int
    unviewed: int
    product_rows: int

    @property
    def name(self) -> str:
        return self.shelf.name


def scaled(count: int, people: int) -> int:
    """A number of a ``Department`` for this many people; half a person, of an odd group, falls away."""
    return count * people // (2 * GROUP)


_BRANDS = ("Fernhill", "Oakward", "Tidewell", "Marlow & Finch", "Plainsong")


def _department(
    name: str, people: tuple[int, int, int, int], product_rows: int, articles: tuple[tuple[str, int], ...]
) -> Department:
    products = tuple(
        shop.make_product(name, f"{brand} {kind}", brand, f"STORE-{name[:3].upper()}-{number}", price_cents)
        for number, (brand, (kind, price_cents)) in enumerate(zip(_BRANDS, articles, strict=True), 1)
    )
    return Department(shop.make_category(name, products), *people, product_rows)


HOME_SUPPLIES = _department(
    "Home Supplies",
    (890, 360, 20, 30),
    640,
    (
        ("Towel Set", 149_99),
        ("Cookware Set", 350_50),
        ("Vacuum Cleaner", 461_20),
        ("Stand Mixer", 581_91),
        ("Espresso Machine", 762_40),
    ),
)

DEPARTMENTS: tuple[Department, ...] = (
    _department(
        "Groceries",
        (1_100, 528, 20, 40),
        900,
        (
            ("Coffee Crate", 129_99),
            ("Pantry Hamper", 331_50),
            ("Cellar Dozen", 458_75),
            ("Cured Ham", 587_51),
            ("Caviar Box", 786_00),
        ),
    ),
    HOME_SUPPLIES,
    _department(
        "Entertainment",
        (680, 270, 20, 30),
        560,
        (
            ("Board Game Chest", 99_50),
            ("Turntable", 299_99),
            ("Games Console", 460_50),
            ("Projector", 640_01),
            ("Digital Piano", 802_50),
        ),
    ),
    _department(
        "Fashion",
        (820, 400, 20, 30),
        520,
        (
            ("Rain Jacket", 119_00),
            ("Leather Boots", 340_00),
            ("Wool Coat", 459_90),
            ("Evening Dress", 580_10),
            ("Tailored Suit", 800_50),
        ),
    ),
    _department(
        "Electronics",
        (750, 330, 20, 30),
        450,
        (
            ("Headphones", 139_00),
            ("Monitor", 349_00),
            ("Tablet", 462_90),
            ("Camera", 575_00),
            ("Laptop", 788_60),
        ),
    ),
    _department(
        "Beauty",
        (700, 320, 10, 20),
        430,
        (
            ("Perfume", 109_00),
            ("Hair Dryer", 345_00),
            ("Skin Care Set", 457_30),
            ("Light Mask", 570_00),
            ("Massage Chair", 805_20),
        ),
    ),
    _department(
        "Sports",
        (650, 300, 10, 20),
        400,
        (
            ("Dumbbells", 125_00),
            ("Tent", 335_00),
            ("Rowing Machine", 460_10),
            ("Kayak", 590_00),
            ("Road Bike", 790_40),
        ),
    ),
    _department(
        "Toys",
        (600, 265, 10, 20),
        340,
        (
            ("Train Set", 115_00),
            ("Play Kitchen", 330_00),
            ("Doll House", 456_60),
            ("Robot Kit", 585_00),
            ("Climbing Frame", 796_40),
        ),
    ),
)
