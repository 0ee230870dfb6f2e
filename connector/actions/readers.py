"""Which reader an object gets: rules of its source may make it depend on the event and its currency."""

from __future__ import annotations

from collections.abc import Iterable

from connector.actions.call import Columns, SourceRules
from connector.actions.reading import ObjectReader
from connector.events import Json
from connector.tables.model import Column
from connector.values.currencies import MINOR_DIGITS, minor_digits
from connector.values.names import SINGLE_PRODUCT_EVENTS


class SourceReaders:
    """The readers of one kind of object, ``properties`` or a product, as one source sends it.

    Amounts in minor units need the currency before they are read (quirk 32). The source's own keys count in
    products, and in ``properties`` on events of one product (quirks 16, 22).
    """

    def __init__(
        self, columns: Iterable[Column], prefix: str, rules: SourceRules, *, product: bool = False
    ) -> None:
        """Compiles every reader that the rules can ask for: one, unless amounts come in minor units."""
        declared = tuple(columns)
        self._product = product
        self._minor_units = rules.minor_units

        def reader(columns: Iterable[Column], digits: int, *, named: bool) -> ObjectReader:
            further = rules.key_aliases if named else None
            return ObjectReader(
                columns, prefix, product=product, rules=rules, minor_digits=digits, key_aliases=further
            )

        kinds = (True,) if product or not rules.key_aliases else (False, True)
        self._readers = {
            (digits, named): reader(declared, digits, named=named)
            for digits in (MINOR_DIGITS if rules.minor_units else (0,))
            for named in kinds
        }
        currency = [column for column in declared if column.name == "currency"]
        self._currency = {named: reader(currency, 0, named=named) for named in kinds}
        self._named_always = len(kinds) == 1
        self.only = next(iter(self._readers.values())) if len(self._readers) == 1 else None
        """The one reader of a source whose rules leave no choice, which is nearly every source."""

    def reader(self, event: str | None, currency: str | None) -> ObjectReader:
        """
        Args:
            event: name of the track call that the object belongs to; None for products.
            currency: code that the object's amounts are in, as far as it is known.
        """
        return self._readers[minor_digits(currency) if self._minor_units else 0, self._named(event)]

    def currency_of(self, value: dict[str, Json], event: str | None = None) -> str | None:
        """The currency that the object itself names."""
        row: Columns = {}
        self._currency[self._named(event)].read(value, row, [], event)
        return row.get("currency")

    def _named(self, event: str | None) -> bool:
        return self._named_always or event in SINGLE_PRODUCT_EVENTS
