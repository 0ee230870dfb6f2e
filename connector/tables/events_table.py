"""The table ``events``: identity, time, every property of the ecommerce spec, context, bookkeeping."""

from __future__ import annotations

from collections.abc import Mapping

from connector.tables.model import Column, Pii, Table, TypeCode, spelled

BOOKKEEPING = (
    Column("flags", "F", "Notes on what was coerced, assumed or missing; `[]` when there are none",
           nullable=False),
    Column("violations", "V", "What the schema found; on the main row only", nullable=False),
    Column("proven", "S", "What is proven for this very element: `all`, `first`, `none`", nullable=False),
    Column("mapping", "S", "`<name>@<hash>` of the mapping and schemas that made the row", nullable=False),
    Column("subscription", "S", "Name of the subscription that made the row", nullable=False),
    Column("captured_file", "S", "Identity of the captured file: the way back to the bytes", nullable=False),
    Column("captured_index", "L", "Number of the event in that file, from 0", nullable=False),
)  # fmt: skip

ROW_ID = Column("row_id", "S", "Identity of the row, 36 characters; copies of an event have the same",
                nullable=False)  # fmt: skip
MESSAGE_ID = Column("message_id", "S", "Segment's id of the message", ("messageId",),
                    rule="null when absent, flag `message_id_missing`")  # fmt: skip
SOURCE = Column("source", "S", "Who sent it: the configured source, never taken from the payload",
                nullable=False)  # fmt: skip
PEOPLE = (
    Column("user_id", "S", "Known person", ("userId",), pii="id", rule="top level only"),
    Column("anonymous_id", "S", "Device or browser", ("anonymousId",), pii="id"),
    Column("distinct_id", "S", "`user_id`, else `anonymous_id`", pii="id",
           rule="neither: null, flag `identity_missing`"),
)  # fmt: skip
TIMES = (
    Column("timestamp", "T", "Effective time of the event; `day` is its UTC date",
           ("timestamp", "receivedAt", "originalTimestamp"),
           rule="out of bounds: `received_at`, flag `time_replaced`"),
    Column("original_timestamp", "T", "Client clock at the call", ("originalTimestamp",)),
    Column("sent_at", "T", "Client clock at sending", ("sentAt",)),
    Column("received_at", "T", "Arrival at Segment, else at this receiver", ("receivedAt",),
           rule="the only time used to choose among duplicates"),
)  # fmt: skip

_IDENTITY = (
    ROW_ID,
    MESSAGE_ID,
    SOURCE,
    Column("type", "S", "`track`, `page` or `screen`", ("type", "action"), nullable=False,
           rule="else the endpoint's, else `track` if there is an event name; flag `type_inferred`"),
    Column("event", "S", "Name after folding; `page`, `screen` for those calls; `Product Purchased` on lines",
           ("event",), nullable=False, rule="flag `event_renamed` when folding changed it"),
    Column("received_event", "S", "Name as received; on lines the order's; null for page and screen",
           ("event",)),
    *PEOPLE,
    Column("group_id", "S", "Account", ("groupId", "context.groupId"), pii="id"),
    Column("channel", "S", "`client`, `server`, `browser` or `mobile`", ("channel", "context.channel")),
    *TIMES,
)  # fmt: skip


def _property(name: str, code: TypeCode, meaning: str, rule: str = "", pii: Pii = "",
              more: tuple[str, ...] = ()) -> Column:  # fmt: skip
    return Column(name, code, meaning, (*spelled("properties", name), *more), rule=rule, pii=pii)


SPEC_PROPERTIES = (
    _property("affiliation", "S", "Shop or affiliate of the order"),
    _property("brand", "S", "Brand"),
    _property("cart_id", "S", "Cart id", pii="pseudonym"),
    _property("category", "S", "Product or list category",
              "a list: its first element here, all of it in `categories`"),
    _property("checkout_id", "S", "Checkout session; joins the steps to the order", pii="pseudonym"),
    _property("coupon", "S", "Code of the order or of the product",
              "a list: its first element here, all of it in `coupons`"),
    _property("coupon_id", "S", "Coupon id"),
    _property("coupon_name", "S", "Coupon name"),
    _property("creative", "S", "Creative of the promotion"),
    _property("currency", "S", "ISO 4217 code of every amount in the row",
              "trimmed, upper case; on lines the product's, else the order's"),
    _property("discount", "M", "Discount of the order"),
    _property("filters", "K", "Filters in force", "values become text"),
    _property("image_url", "S", "Picture of the product"),
    _property("list_id", "S", "List id"),
    _property("name", "S", "Title of the product, or name of the promotion"),
    _property("order_id", "S", "Order id, unique within a source", "`id` counts on order events",
              "pseudonym", ("properties.id",)),
    _property("payment_method", "S", "Payment method"),
    _property("position", "I", "Rank in the list, as sent", "words go to `position_text`"),
    _property("price", "M", "Price of one unit", "missing on a line: flag `price_missing`"),
    _property("product_id", "S", "Product id",
              "on events of one product `id` counts; without id and sku, an only element of `products`", "",
              ("properties.id",)),
    _property("products", "P", "The product list, typed; null on lines, `[]` if sent empty"),
    _property("promotion_id", "S", "Promotion id"),
    _property("quantity", "Q", "Units, fractions allowed (goods sold by weight)",
              "missing stays null; lines then count 1, flag `quantity_assumed`; "
              "0 on Product Removed means unknown: null, the 0 stays in `properties`"),
    _property("query", "S", "Search text, or its JSON", pii="free text"),
    _property("rating", "S", "Rating, text as in the spec", "numbers become text without a flag"),
    _property("reason", "S", "Why a coupon was denied"),
    _property("recipient", "S", "Who it was shared with", pii="direct"),
    _property("revenue", "M", "Revenue as sent, whatever the event: never sum it across events",
              "missing on Order Completed: flag `revenue_missing`"),
    _property("review_body", "S", "Text of the review", pii="free text"),
    _property("review_id", "S", "Review id"),
    _property("share_message", "S", "Message that was shared", pii="free text"),
    _property("share_via", "S", "Way of sharing"),
    _property("shipping", "M", "Shipping of the order"),
    _property("shipping_method", "S", "Shipping method"),
    _property("sku", "S", "Stock-keeping unit"),
    _property("sorts", "K", "Sort orders in force", "values become text"),
    _property("step", "I", "Number of the checkout step"),
    _property("subtotal", "M", "Subtotal of the order"),
    _property("tax", "M", "Tax of the order"),
    _property("total", "M", "Total as sent; its definition differs by event"),
    _property("url", "S", "Page of the product"),
    _property("value", "M", "Worth of the event as sent, not income"),
    _property("variant", "S", "Variant"),
    _property("wishlist_id", "S", "Wishlist id"),
    _property("wishlist_name", "S", "Wishlist name"),
)  # fmt: skip

_ADDITIONS = (
    Column("position_text", "S", "Placement in words", spelled("properties", "position")),
    Column("categories", "LS", "All categories when a list was sent", ("properties.category",)),
    Column("coupons", "LS", "All coupons when a list was sent", ("properties.coupon",)),
    _property("experiment_id", "S", "Experiment shown"),
    _property("experiment_name", "S", "Name of the experiment"),
    _property("variation_id", "S", "Variant shown"),
    _property("variation_name", "S", "Name of the variant"),
    Column("page_name", "S", "Name of the page or screen", ("name", "properties.name"),
           rule="page and screen only"),
    Column("page_category", "S", "Category of the page or screen", ("category", "properties.category"),
           rule="page and screen only"),
    Column("line_index", "I", "Place in `products`, from 0; null on the main row"),
    Column("line_count", "I", "Length of `products` as sent; on the order and on each line"),
    Column("order_revenue", "M", "Income of the order; only on Order Completed, so it may be summed",
           ("properties.revenue",), rule="then what the setting `revenue_from` allows"),
    Column("order_revenue_from", "S", "`revenue`, `subtotal`, `total_less_tax_shipping` or `items`"),
    Column("line_revenue", "M", "price x quantity; only on lines, so it may be summed"),
    Column("refund_amount", "M", "Amount stated by Order Refunded or Order Cancelled, without sign",
           ("properties.total", "properties.revenue"), rule="null: the whole rest of the order"),
)  # fmt: skip


def _context(path: str, code: TypeCode = "S", meaning: str = "", pii: Pii = "",
             more: tuple[str, ...] = ()) -> Column:  # fmt: skip
    """``device.advertisingId`` -> column ``context_device_advertising_id``."""
    snake = "".join("_" + c.lower() if c.isupper() else c for c in path).replace(".", "_")
    return Column(f"context_{snake}", code, meaning, (f"context.{path}", *more), pii=pii)


def _page(key: str) -> Column:
    return Column(f"context_page_{key}", "S", f"{key.capitalize()} of the page",
                  (f"context.page.{key}", f"properties.{key}"), pii="free text",
                  rule="`properties` only on page and screen calls")  # fmt: skip


CONTEXT = (
    *(_page(key) for key in ("path", "referrer", "search", "title", "url")),
    _context("campaign.source", meaning="utm_source"),
    _context("campaign.medium", meaning="utm_medium"),
    _context("campaign.name", meaning="utm_campaign"),
    _context("campaign.term", meaning="utm_term"),
    _context("campaign.content", meaning="utm_content"),
    _context("device.id", meaning="Hardware id; reports use `anonymous_id` as the device", pii="id"),
    _context("device.type"),
    _context("device.name", pii="direct"),
    _context("device.manufacturer"),
    _context("device.model"),
    _context("device.advertisingId", pii="id", more=("context.device.idfa",)),
    _context("device.adTrackingEnabled", "B"),
    _context("os.name"),
    _context("os.version"),
    _context("app.name"),
    _context("app.version"),
    _context("app.build"),
    _context("app.namespace"),
    _context("network.bluetooth", "B"),
    _context("network.cellular", "B"),
    _context("network.wifi", "B"),
    _context("network.carrier"),
    _context("location.city", pii="quasi"),
    _context("location.country"),
    _context("location.region", pii="quasi"),
    _context("location.latitude", "D", "Degrees", "quasi"),
    _context("location.longitude", "D", "Degrees", "quasi"),
    _context("screen.width", "I", "Pixels"),
    _context("screen.height", "I", "Pixels"),
    _context("screen.density", "D", "Ratio"),
    _context("referrer.id", pii="id"),
    _context("referrer.type"),
    _context("locale", meaning="BCP 47"),
    _context("timezone", meaning="IANA name"),
    _context("ip", pii="network"),
    _context("userAgent", pii="quasi"),
    _context("userAgentData.mobile", "B"),
    _context("userAgentData.platform"),
    _context("library.name"),
    _context("library.version"),
)

_REST = (
    Column("properties", "J", "`properties` verbatim, typed keys included; on lines the product object",
           ("properties",), pii="mixed", rule="repaired text: flag `json_repaired`"),
    Column("context", "J", "What of `context` has no typed column or did not fit it; null on lines",
           ("context",), pii="mixed"),
    Column("envelope", "J", "Top-level keys without a column, and values that did not fit; null on lines",
           pii="mixed", rule="`writeKey` is never stored"),
)  # fmt: skip

EVENTS = Table(
    "events",
    "One track, page or screen call (main row), or one product of an Order Completed (line)",
    (*_IDENTITY, *SPEC_PROPERTIES, *_ADDITIONS, *CONTEXT, *_REST, *BOOKKEEPING),
    ("event", "timestamp", "row_id"),
)

PRODUCT_FIELDS: tuple[tuple[str, TypeCode], ...] = (
    ("product_id", "S"), ("sku", "S"), ("category", "S"), ("name", "S"), ("brand", "S"), ("variant", "S"),
    ("price", "M"), ("quantity", "Q"), ("coupon", "S"), ("position", "I"), ("url", "S"), ("image_url", "S"),
)  # fmt: skip
"""The product object of the spec, in its order: the struct of type P and the product columns of a line."""

STRUCT_FIELDS: Mapping[TypeCode, Mapping[str, TypeCode]] = {
    "K": {"type": "S", "value": "S"},
    "P": dict(PRODUCT_FIELDS),
    "F": {"code": "S", "path": "S"},
    "V": {"path": "S", "rule": "S", "expected": "S", "got_type": "S"},
}
"""Types that are lists of structs -> their fields in order."""
