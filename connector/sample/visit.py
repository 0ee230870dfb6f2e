"""One visit to the sample shop, from the landing page to the cart and the account."""

from __future__ import annotations

from connector.events import Json
from connector.sample import shop
from connector.sample.calls import Calls, Step
from connector.sample.checkout import check_out
from connector.sample.context import Landing
from connector.sample.dice import Dice
from connector.sample.people import Person

_LINES_PER_ORDER = (1,) * 17 + (2,) * 19 + (3,) * 20 + (4,) * 16 + (5,) * 12 + (6,) * 8 + (7,) * 5 + (8,) * 3
"""Mean 3.46, a little less once second thoughts took something out again."""
_QUANTITIES = (1, 1, 1, 1, 1, 2, 2, 3)
_SEARCHES = (
    "gift for dad",
    "kettle",
    "rain jacket",
    "board game",
    "birthday",
    "coffee",
    "running",
    "desk lamp",
)


def plan_visit(dice: Dice, person: Person, visit_number: int, landing: Landing, *, app: bool) -> list[Step]:
    """
    Every call of one visit, times rising but for what happens days later (refund, review).

    Args:
        dice: the visit's own choices.
        visit_number: 0 for the person's first visit.
        app: True for the phone app.

    Returns:
        At least three steps; the first is at 0 ms.
    """
    calls = Calls(dice, person, landing, app=app, signed_in=visit_number > person.signs_up_in_visit)
    category = _arrive(calls)
    _look_around(calls, category)
    cart_id = f"cart_{dice.hex(16, 'cart')}"
    lines = _fill_cart(calls, category, cart_id) if dice.chance(0.79, "wants something") else []
    _sign_in(calls, first_time=visit_number == person.signs_up_in_visit)
    if lines and dice.chance(0.9, "goes to checkout"):
        check_out(calls, lines, cart_id)
    return calls.steps


def _arrive(calls: Calls) -> shop.Category:
    """The home page; returns the department that caught the eye."""
    calls.view_page("Home", "Shop")
    if calls.dice.chance(0.18, "promotion"):
        promotion = calls.dice.one_of(shop.PROMOTIONS, "promotion shown")
        shown = promotion._asdict()
        wanted = shown.pop("category")
        calls.track("Promotion Viewed", shown)
        if calls.dice.chance(0.4, "promotion clicked"):
            calls.track("Promotion Clicked", shown)
            return next(category for category in shop.CATEGORIES if category.name == wanted)
    return calls.dice.one_of(shop.CATEGORIES, "category")


def _look_around(calls: Calls, category: shop.Category) -> None:
    """A search or a department, then one product or two."""
    if calls.dice.chance(0.2, "search"):
        calls.move("/search", "Search")
        calls.track("Products Searched", {"query": calls.dice.one_of(_SEARCHES, "query")})
    else:
        _browse(calls, category)
    for look in range(2 if calls.dice.chance(0.15, "second look") else 1):
        _look_at(calls, category.products[calls.dice.mostly_low(25, "looked at", look)], look)


def _browse(calls: Calls, category: shop.Category) -> None:
    calls.move(category.path, category.name)
    shown = category.products[: calls.dice.between(3, 8, "list length")]
    listed: dict[str, Json] = {"list_id": category.list_id, "category": category.name}
    calls.track("Product List Viewed", {**listed, "products": shop.list_json(shown)})
    if calls.dice.chance(0.06, "filter"):
        chosen = {
            "filters": [{"type": "price", "value": "under-$100"}],
            "sorts": [{"type": "price", "value": calls.dice.one_of(("asc", "desc"), "sort")}],
        }
        cheap = tuple(product for product in shown if product.price_cents < 100_00)
        calls.track("Product List Filtered", {**listed, **chosen, "products": shop.list_json(cheap)})


def _look_at(calls: Calls, product: shop.Product, look: int) -> None:
    dice = calls.dice
    if dice.chance(0.12, "clicked", look):
        calls.track("Product Clicked", {**product.card, "position": look + 1})
    calls.move(product.path, product.title)
    price, currency = product.card["price"], calls.person.region.currency
    calls.track("Product Viewed", {**product.card, "quantity": 1, "currency": currency, "value": price})
    if dice.chance(0.05, "wishlist", look):
        wishlist = {"wishlist_id": f"wl_{calls.person.dice.hex(14, 'wishlist')}", "wishlist_name": "Someday"}
        calls.track("Product Added to Wishlist", {**wishlist, **product.card, "quantity": 1})
    if dice.chance(0.02, "share", look):
        shared = {"share_via": "email", "share_message": "Like it?", "recipient": "friend@example.com"}
        calls.track("Product Shared", {**shared, **product.card})


def _fill_cart(calls: Calls, category: shop.Category, cart_id: str) -> list[shop.Line]:
    """Up to three products are added now; the rest waited in the cart since an earlier day."""
    lines = _wish_for(calls.dice, category)
    for line in lines[: calls.dice.between(1, 3, "added now")]:
        calls.track("Product Added", {"cart_id": cart_id, **line.product.card, "quantity": line.quantity})
    if len(lines) > 1 and calls.dice.chance(0.06, "second thoughts"):
        line = lines.pop()
        calls.track("Product Removed", {"cart_id": cart_id, **line.product.card, "quantity": line.quantity})
    if calls.dice.chance(0.2, "cart viewed"):
        calls.move("/cart", "Cart")
        calls.track("Cart Viewed", {"cart_id": cart_id, "products": shop.lines_json(lines)})
    return lines


def _wish_for(dice: Dice, category: shop.Category) -> list[shop.Line]:
    """Different products, the first from the department of the visit, the others from anywhere."""
    wanted: dict[str, shop.Line] = {}
    count = dice.one_of(_LINES_PER_ORDER, "lines")
    throw = 0
    while len(wanted) < count:
        department = dice.one_of(shop.CATEGORIES, "line category", throw) if throw else category
        product = department.products[dice.mostly_low(25, "line product", throw)]
        wanted.setdefault(product.path, shop.Line(product, dice.one_of(_QUANTITIES, "quantity", throw)))
        throw += 1
    return list(wanted.values())


def _sign_in(calls: Calls, *, first_time: bool) -> None:
    """The person's sign-up when it is due, else now and then a fresh login of a known one."""
    if not (first_time or (calls.signed_in and calls.dice.chance(0.2, "login"))):
        return
    calls.signed_in = True
    calls.move("/account", "Account")
    calls.add("identify", {"traits": calls.person.traits})
    if first_time and calls.app and calls.dice.chance(0.5, "alias"):
        calls.add("alias", {"previousId": calls.person.anonymous_id})
    if company := calls.person.company:
        calls.add("group", {"groupId": company.group_id, "traits": company.traits})
