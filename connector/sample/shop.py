"""The sample shop: 200 products in 8 categories at fixed prices, its promotions, and what an order costs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from connector.events import Json

ORIGIN = "https://www.alderlane.example"
IMAGES = "https://cdn.alderlane.example/products"
AFFILIATION = "Alder Lane"
FREE_SHIPPING_FROM_CENTS = 75_00
STANDARD_SHIPPING_CENTS = 5_99
EXPRESS_SHIPPING_CENTS = 12_99


class Product(NamedTuple):
    """One article. ``card``: the spec's product object, less ``quantity`` and ``position``; never changed."""

    path: str
    title: str
    price_cents: int
    card: dict[str, Json]


class Category(NamedTuple):
    """One department and its 25 products, best sellers first."""

    name: str
    path: str
    list_id: str
    products: tuple[Product, ...]


class Line(NamedTuple):
    """One product of a cart or an order."""

    product: Product
    quantity: int

    @property
    def cents(self) -> int:
        return self.product.price_cents * self.quantity


class Coupon(NamedTuple):
    code: str
    name: str
    percent: int


class Promotion(NamedTuple):
    promotion_id: str
    creative: str
    name: str
    position: str
    category: str


@dataclass(frozen=True, slots=True)
class Amounts:
    """
    The money of one order, in cents.

    By the ecommerce spec: ``subtotal`` (also sent as ``revenue``) is the items after the discount, before tax
    and shipping; ``total`` adds both.
    """

    items: int
    discount: int
    shipping: int
    tax: int

    @property
    def subtotal(self) -> int:
        return self.items - self.discount

    @property
    def total(self) -> int:
        return self.subtotal + self.shipping + self.tax


def price_order(lines: list[Line], *, coupon: Coupon | None, tax_basis_points: int, express: bool) -> Amounts:
    """
    Add up an order.

    Args:
        lines: what is bought.
        coupon: taken off the items, rounded down.
        tax_basis_points: hundredths of a percent, on the subtotal, half a cent up.
        express: dearer, and never free.
    """
    items = sum(line.cents for line in lines)
    discount = discounted_cents(items, coupon)
    subtotal = items - discount
    if express:
        shipping = EXPRESS_SHIPPING_CENTS
    else:
        shipping = 0 if subtotal >= FREE_SHIPPING_FROM_CENTS else STANDARD_SHIPPING_CENTS
    return Amounts(items, discount, shipping, tax=(subtotal * tax_basis_points + 5_000) // 10_000)


def discounted_cents(cents: int, coupon: Coupon | None) -> int:
    """What the coupon takes off an amount, in cents."""
    return cents * coupon.percent // 100 if coupon else 0


def money(cents: int) -> float:
    """An amount as a browser writes it: ``12``, ``12.5``, ``12.99``."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def lines_json(lines: list[Line]) -> list[Json]:
    """The ``products`` of a cart or an order."""
    return [{**line.product.card, "quantity": line.quantity} for line in lines]


def list_json(products: tuple[Product, ...]) -> list[Json]:
    """The ``products`` of a list as shown, ranks from 1."""
    return [{**product.card, "position": rank} for rank, product in enumerate(products, 1)]


_KINDS: dict[str, tuple[tuple[str, int], ...]] = {
    "Groceries": (
        ("Olive Oil", 14_90),
        ("Ground Coffee", 11_50),
        ("Granola", 6_80),
        ("Honey", 9_20),
        ("Pasta", 3_40),
    ),
    "Home Supplies": (
        ("Kettle", 46_00),
        ("Duvet Set", 89_00),
        ("Desk Lamp", 54_00),
        ("Towel", 18_00),
        ("Pan", 62_00),
    ),
    "Entertainment": (
        ("Board Game", 38_00),
        ("Puzzle", 19_00),
        ("Film Box", 44_00),
        ("Novel", 14_00),
        ("Record", 27_00),
    ),
    "Fashion": (
        ("Rain Jacket", 129_00),
        ("Sneakers", 98_00),
        ("Jeans", 79_00),
        ("Scarf", 29_00),
        ("T-Shirt", 22_00),
    ),
    "Electronics": (
        ("Headphones", 149_00),
        ("Speaker", 119_00),
        ("Monitor", 289_00),
        ("Charger", 34_00),
        ("Keyboard", 86_00),
    ),
    "Beauty": (
        ("Face Cream", 32_00),
        ("Shampoo", 12_00),
        ("Perfume", 68_00),
        ("Lip Balm", 6_50),
        ("Soap", 8_40),
    ),
    "Sports": (
        ("Yoga Mat", 42_00),
        ("Dumbbells", 74_00),
        ("Running Belt", 26_00),
        ("Tent", 219_00),
        ("Bottle", 21_00),
    ),
    "Toys": (
        ("Building Blocks", 36_00),
        ("Train Set", 72_00),
        ("Plush Bear", 24_00),
        ("Kite", 18_50),
        ("Paint Box", 16_00),
    ),
}
_BRANDS = (("Fernhill", 100), ("Oakward", 80), ("Tidewell", 125), ("Marlow & Finch", 160), ("Plainsong", 65))
_VARIANTS = ("Classic", "Large", "Blue", "Green", "Gift Box", "Small", "Natural")


def make_product(category: str, title: str, brand: str, sku: str, price_cents: int) -> Product:
    """An article at a fixed price; what else it has follows from its names and its ``sku``."""
    slug = _slug(title)
    identity = blake2b(sku.encode(), digest_size=12).digest()
    card = {
        "product_id": identity.hex(),
        "sku": sku,
        "category": category,
        "name": title,
        "brand": brand,
        "variant": _VARIANTS[identity[0] % len(_VARIANTS)],
        "price": money(price_cents),
        "url": f"{ORIGIN}/collections/{_slug(category)}/products/{slug}",
        "image_url": f"{IMAGES}/{_slug(category)}/{slug}_1024x1024.jpg?v={identity.hex()[:8]}",
    }
    return Product(f"/collections/{_slug(category)}/products/{slug}", title, price_cents, card)


def make_category(name: str, products: tuple[Product, ...]) -> Category:
    return Category(name, f"/collections/{_slug(name)}", f"list_{_slug(name)}", products)


def _slug(text: str) -> str:
    return text.lower().replace(" & ", "-").replace(" ", "-")


def _product(category: str, kind: str, base_cents: int, brand: str, percent: int) -> Product:
    price_cents = base_cents * percent // 100 // 50 * 50 + 49
    sku = f"{category[:3].upper()}-{base_cents // 100:03}-{percent:03}"
    return make_product(category, f"{brand} {kind}", brand, sku, price_cents)


def _category(name: str, kinds: tuple[tuple[str, int], ...]) -> Category:
    products = (
        _product(name, kind, base, brand, percent) for brand, percent in _BRANDS for kind, base in kinds
    )
    return make_category(name, tuple(products))


CATEGORIES: tuple[Category, ...] = tuple(_category(name, kinds) for name, kinds in _KINDS.items())

COUPONS = (
    Coupon("WELCOME10", "Welcome 10 % off", 10),
    Coupon("NEWYEAR15", "New Year 15 % off", 15),
    Coupon("FRIENDS20", "Friends and family 20 % off", 20),
)

PROMOTIONS = (
    Promotion("promo_winter_sale", "hero_snow_1", "Winter sale: jackets and more", "home_hero", "Fashion"),
    Promotion("promo_desk_reset", "banner_desk_3", "Reset your desk", "home_banner_top", "Electronics"),
    Promotion("promo_game_night", "tile_games_2", "Game night, 3 for 2", "home_tile_left", "Entertainment"),
    Promotion("promo_pantry", "tile_pantry_1", "Fill the pantry", "home_tile_right", "Groceries"),
)
