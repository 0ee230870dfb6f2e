"""From the cart to the order, and what becomes of the order."""

from __future__ import annotations

from typing import NamedTuple

from connector.events import Json
from connector.sample import shop
from connector.sample.calls import Calls
from connector.sample.dice import Dice

_SHIPPING = ("Standard", "Standard", "Standard", "Express")
_PAYMENT = ("Visa", "Mastercard", "PayPal", "Apple Pay", "American Express")
_REVIEWS = (
    "Exactly as described.",
    "Good value, quick delivery.",
    "Smaller than I thought.",
    "Would buy again!",
)


class _Order(NamedTuple):
    """An order being placed. ``properties`` are what all of its events say."""

    order_id: str
    checkout_id: str
    lines: list[shop.Line]
    coupon: shop.Coupon | None
    amounts: shop.Amounts
    methods: dict[str, Json]
    properties: dict[str, Json]


def check_out(calls: Calls, lines: list[shop.Line], cart_id: str) -> None:
    """Checkout Started with its steps; nearly always Order Completed and its aftermath."""
    order = _order(calls.dice, lines, calls.person.region.currency, calls.person.region.tax_basis_points)
    calls.move("/checkout", "Checkout")
    if order.coupon:
        _enter_coupon(calls, order, order.coupon, cart_id)
    calls.track("Checkout Started", {**order.properties, "value": shop.money(order.amounts.total)})
    _give_details(calls, order)
    if calls.dice.chance(0.93, "pays"):
        _complete(calls, order)


def _order(dice: Dice, lines: list[shop.Line], currency: str, tax_basis_points: int) -> _Order:
    coupon = dice.one_of(shop.COUPONS, "coupon") if dice.chance(0.15, "has coupon") else None
    shipping_method = dice.one_of(_SHIPPING, "shipping")
    amounts = shop.price_order(
        lines, coupon=coupon, tax_basis_points=tax_basis_points, express=shipping_method == "Express"
    )
    order_id = f"AL-{dice.hex(12, 'order').upper()}"
    return _Order(
        order_id=order_id,
        checkout_id=f"chk_{dice.hex(16, 'checkout')}",
        lines=lines,
        coupon=coupon,
        amounts=amounts,
        methods={"shipping_method": shipping_method, "payment_method": dice.one_of(_PAYMENT, "payment")},
        properties=order_json(order_id, lines, amounts, coupon, currency),
    )


def order_json(
    order_id: str, lines: list[shop.Line], amounts: shop.Amounts, coupon: shop.Coupon | None, currency: str
) -> dict[str, Json]:
    """What every event of an order says of it."""
    return {
        "order_id": order_id,
        "affiliation": shop.AFFILIATION,
        "revenue": shop.money(amounts.subtotal),
        "shipping": shop.money(amounts.shipping),
        "tax": shop.money(amounts.tax),
        "discount": shop.money(amounts.discount),
        **({"coupon": coupon.code} if coupon else {}),
        "currency": currency,
        "products": shop.lines_json(lines),
    }


def _enter_coupon(calls: Calls, order: _Order, coupon: shop.Coupon, cart_id: str) -> None:
    where = {"order_id": order.order_id, "cart_id": cart_id}
    if calls.dice.chance(0.2, "old coupon"):
        old = {"coupon_id": "SUMMER25", "coupon_name": "Summer 25 % off", "reason": "Coupon expired"}
        calls.track("Coupon Entered", {**where, "coupon_id": old["coupon_id"]})
        calls.track("Coupon Denied", {**where, **old})
    calls.track("Coupon Entered", {**where, "coupon_id": coupon.code})
    applied = {"coupon_id": coupon.code, "coupon_name": coupon.name}
    calls.track("Coupon Applied", {**where, **applied, "discount": shop.money(order.amounts.discount)})


def _give_details(calls: Calls, order: _Order) -> None:
    checkout = {"checkout_id": order.checkout_id}
    if calls.dice.chance(0.1, "step"):
        calls.track("Checkout Step Viewed", {**checkout, "step": 1})
        calls.track("Checkout Step Completed", {**checkout, "step": 1, **order.methods})
    if calls.dice.chance(0.1, "payment info"):
        calls.track(
            "Payment Info Entered", {**checkout, "order_id": order.order_id, "step": 2, **order.methods}
        )


def _complete(calls: Calls, order: _Order) -> None:
    calls.move("/thank-you", "Thank you")
    subtotal, total = shop.money(order.amounts.subtotal), shop.money(order.amounts.total)
    complete = {"checkout_id": order.checkout_id, **order.properties, "subtotal": subtotal, "total": total}
    calls.track("Order Completed", complete)
    dice = calls.dice
    if dice.chance(0.06, "refund"):
        _refund(calls, order)
    elif dice.chance(0.02, "cancel"):
        cancelled = {**order.properties, "total": total}
        calls.track_later(dice.between(1, 6, "cancelled after"), "Order Cancelled", cancelled, by_server=True)
    elif calls.signed_in and dice.chance(0.08, "review"):
        _review(calls, order)


def _refund(calls: Calls, order: _Order) -> None:
    """The whole order; of several products sometimes the first alone, at what was paid for it."""
    lines, cents = order.lines, order.amounts.total
    if len(lines) > 1 and calls.dice.chance(0.4, "refund in part"):
        lines = lines[:1]
        cents = lines[0].cents - shop.discounted_cents(lines[0].cents, order.coupon)
    refund = {
        "order_id": order.order_id,
        "total": shop.money(cents),
        "currency": order.properties["currency"],
        "products": shop.lines_json(lines),
    }
    calls.track_later(calls.dice.between(3, 72, "refunded after"), "Order Refunded", refund, by_server=True)


def _review(calls: Calls, order: _Order) -> None:
    review = {
        "product_id": order.lines[0].product.card["product_id"],
        "review_id": f"rev_{calls.dice.hex(12, 'review id')}",
        "review_body": calls.dice.one_of(_REVIEWS, "review body"),
        "rating": str(calls.dice.between(2, 5, "rating")),
    }
    calls.track_later(
        calls.dice.between(24, 96, "reviewed after"), "Product Reviewed", review, by_server=False
    )
