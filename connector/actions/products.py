"""The product list as typed structs, and each product as a line. Source: tables 2; quirks 7 to 18."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from connector.actions.call import NO_RULES, Columns, SourceRules
from connector.actions.readers import SourceReaders
from connector.events import Flag, Json
from connector.jsontext import decode, dumps
from connector.tables.events_table import PRODUCT_FIELDS
from connector.tables.model import Column, spelled
from connector.values.coerce import text
from connector.values.currencies import CURRENCIES

PATH = "properties.products"
_FIELD_NAMES = frozenset(name for name, _ in PRODUCT_FIELDS)
_MICRO = Decimal("0.000001")
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_LIMIT = Decimal(10) ** 12
_ONE = Decimal(1)


class Product(NamedTuple):
    """One element of ``products`` that can be a line."""

    line_index: int
    sent: Json
    columns: Columns
    """The product's own columns as they stand on a line (also ``categories``, ``currency`` and others)."""
    flags: list[Flag]
    """Paths begin with ``properties.products[i]``."""


class ProductList(NamedTuple):
    products: Sequence[Product]
    structs: list[Columns | None] | None
    """Type P, elements that are no product null so that positions hold; None: nothing readable was sent."""
    sent_count: int | None
    """Length as sent."""
    flags: list[Flag]


def _product_columns() -> list[Column]:
    columns = [
        Column(
            name,
            code,
            "",
            (*spelled("product", name), *(("product.id",) if name == "product_id" else ())),
        )
        for name, code in PRODUCT_FIELDS
    ]
    return [*columns, Column("currency", "S", "", ("product.currency",))]


PRODUCT_NAMES = tuple(column.name for column in _product_columns())
"""What ``key_aliases`` may name further keys of."""


def product_readers(rules: SourceRules) -> SourceReaders:
    return SourceReaders(_product_columns(), "product.", rules, product=True)


_PLAIN = product_readers(NO_RULES)
_NOTHING = ProductList((), None, None, [])


def read_products(
    value: Json, readers: SourceReaders = _PLAIN, order_currency: str | None = None
) -> ProductList:
    """Read ``properties.products`` in whatever shape it came; nothing is guessed from an unreadable text.

    Args:
        order_currency: what amounts of a product without a currency are in; only amounts in minor units
            depend on it.
    """
    if value is None or value == "":
        return _NOTHING
    flags: list[Flag] = []
    if type(value) is str:
        decoded = decode(value.encode("utf-8", "surrogatepass"))
        if decoded.error is not None or type(decoded.value) not in (list, dict):
            return ProductList((), None, None, [Flag("products_unreadable", PATH)])
        flags.append(Flag("products_from_text", PATH))
        value = decoded.value
    if type(value) is dict:
        flags.append(Flag("products_from_object", PATH))
        value = [value]
    if type(value) is not list:
        return ProductList((), None, None, [Flag("products_unreadable", PATH)])
    products: list[Product] = []
    structs: list[Columns | None] = []
    for index, element in enumerate(value):
        product = _read_product(index, element, readers, order_currency)
        if product is None:
            flags.append(Flag("product_skipped", f"{PATH}[{index}]"))
            structs.append(None)
        else:
            products.append(product)
            flags.extend(product.flags)
            structs.append(_struct(product.columns))
    return ProductList(products, structs, len(value), flags)


def _struct(columns: Columns) -> Columns:
    """The fields of the struct that have a value; the rest of what a line has is not in it."""
    if columns.keys() <= _FIELD_NAMES:
        return columns
    return {name: value for name, value in columns.items() if name in _FIELD_NAMES}


def _read_product(
    index: int, element: Json, readers: SourceReaders, order_currency: str | None
) -> Product | None:
    columns: Columns = {}
    noticed: list[Flag] = []
    if type(element) is dict:
        reader = readers.only or readers.reader(None, readers.currency_of(element) or order_currency)
        reader.read(element, columns, noticed)
    elif element is None or type(element) in (list, bool) or element == "":
        return None
    else:
        noticed.append(Flag("product_from_scalar", ""))
        if identifier := text(element, "", noticed):
            columns["product_id"] = identifier
    if "currency" in columns and columns["currency"] not in CURRENCIES:
        noticed.append(Flag("currency_unknown", "currency"))
    if noticed:
        place = f"{PATH}[{index}]"
        noticed = [Flag(code, f"{place}.{path}" if path else place) for code, path in noticed]
    return Product(index, element, columns, noticed)


_PARTNERS = {"categories": "category", "coupons": "coupon", "position_text": "position"}


def fill_from_only_product(row: Columns, products: ProductList, flags: list[Flag]) -> None:
    """An event of one product that names it only in ``products``: a list of one says which (quirk 14).

    Fields of the event itself win. A price in another currency than the event's stays in the list.
    """
    if products.sent_count != 1 or not products.products:
        return
    (product,) = products.products
    taken = {
        name: value
        for name, value in product.columns.items()
        if name not in row and _PARTNERS.get(name) not in row
    }
    place = f"{PATH}[0]"
    currencies = {columns["currency"] for columns in (row, product.columns) if "currency" in columns}
    if "price" in taken and len(currencies) > 1:
        del taken["price"]
        flags.append(Flag("key_conflict", f"{place}.currency"))
    row.update(taken)
    flags.append(Flag("key_alias", place))


def line_of(product: Product, shared: Columns) -> tuple[Columns, list[Flag]]:
    """A line's own columns behind the order's shared ones, and the notes that only a line makes."""
    place = f"{PATH}[{product.line_index}]"
    row = {**shared, **product.columns, "line_index": product.line_index}
    notes: list[Flag] = []
    if "product_id" not in row and "sku" not in row:
        notes.append(Flag("product_key_missing", place))
    units = row.get("quantity")
    if units is None:
        units = _ONE
        notes.append(Flag("quantity_assumed", f"{place}.quantity"))
    price = row.get("price")
    if price is None:
        notes.append(Flag("price_missing", f"{place}.price"))
    else:
        revenue = _WIDE.multiply(price, units).quantize(_MICRO, context=_WIDE)
        if abs(revenue) < _LIMIT:
            row["line_revenue"] = revenue
        else:
            notes.append(Flag("number_out_of_range", f"{place}.price"))
    if type(product.sent) is dict:
        row["properties"] = dumps(product.sent)
    return row, notes
