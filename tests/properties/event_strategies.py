"""Any JSON, events of a believable shape with anything in them, examples after accidents; and a pipeline."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from connector.actions.call import LakeSettings, SourceRules
from connector.actions.destination import Destinations
from connector.actions.prepare import CALL_TYPES
from connector.events import Captured
from connector.pipeline import Pipeline
from connector.schemas import read_schemas
from connector.tables import PRODUCT_FIELDS, TABLES
from connector.tables.model import camel
from connector.validate import compile_schemas
from connector.wiring import read_document, shipped_mapping

EXAMPLES = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "examples").glob("*/*.json"))
]
SOURCES = [path.split(".") for table in TABLES for column in table.columns for path in column.sources]
COLUMN_KEYS = sorted({steps[1] for steps in SOURCES if len(steps) == 2})
CONTEXT_KEYS = sorted({step for steps in SOURCES if steps[0] == "context" for step in steps[1:]})
TOP_KEYS = """type action event messageId userId anonymousId groupId previousId channel timestamp sentAt
    receivedAt originalTimestamp properties traits context integrations name category writeKey _metadata
    own""".split()
PRODUCT_KEYS = [*(name for name, _ in PRODUCT_FIELDS), "id", "productId", "currency", "own"]
KNOWN_EVENTS = [
    "Order Completed",
    "completed_order",
    "Order Refunded",
    "Product Viewed",
    "Cart Viewed",
    "Own",
]

TEXT = st.text(st.characters(), max_size=8)
NUMBERS = (
    st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, 1, -1, 10**12, 2**53 + 1, 1e308, 0.1])
)
SAID = st.sampled_from(
    ["", "19.99", "$1,234.50", "19,99", "-5", "USD", "eur", "true", "mug", "track", "Order Completed", "page",
     "2026-03-14T12:00:00.000Z", "2026-03-14 12:00:00.123456", "0001-01-01T00:00:00Z",
     "9999-12-31T23:59:59-10:00", "Coupon", '[{"id":"mug","price":"5"},null]', '{"sku":"s"}', "\0", "\ud800"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | NUMBERS | SAID | TEXT
KEYS = st.sampled_from([*COLUMN_KEYS, *CONTEXT_KEYS]) | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PRODUCTS = st.lists(st.dictionaries(st.sampled_from(PRODUCT_KEYS), JSON, max_size=5) | JSON, max_size=3)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=6)
SHAPED = st.builds(
    lambda kind, name, loose, firm: {"type": kind, "event": name, **loose, **firm},
    st.sampled_from(sorted(CALL_TYPES)),
    st.sampled_from(KNOWN_EVENTS),
    st.dictionaries(st.sampled_from(TOP_KEYS), JSON, max_size=5),
    st.fixed_dictionaries(
        {},
        optional={
            "properties": st.builds(lambda a, b: {**a, "products": b}, OBJECTS, PRODUCTS) | OBJECTS,
            "traits": OBJECTS,
            "context": OBJECTS,
            "userId": SAID,
        },
    ),
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """One of the example events after a few accidents."""
    event = copy.deepcopy(draw(st.sampled_from(EXAMPLES)))
    for _ in range(draw(st.integers(1, 4))):
        home: Any = event
        for _ in range(draw(st.integers(0, 3))):
            inner = [value for value in (home.values() if isinstance(home, dict) else home) if value]
            inner = [value for value in inner if isinstance(value, dict | list)]
            home = draw(st.sampled_from(inner)) if inner else home
        if isinstance(home, list):
            home.insert(draw(st.integers(0, len(home))), draw(JSON))
        elif home:
            key = draw(st.sampled_from(sorted(home)))
            accident = draw(st.sampled_from(["replace", "drop", "rename", "add"]))
            if accident == "replace":
                home[key] = draw(JSON)
            elif accident == "drop":
                del home[key]
            elif accident == "rename":
                home[camel(key)] = home.pop(key)
            else:
                home[draw(KEYS)] = draw(JSON)
    return event


EVENTS = SHAPED | mutated()
ANYTHING = EVENTS | JSON


def captured(event: Any, **more: Any) -> Captured:
    given = {"source": "web", "route": "webhook", "received_at_ms": 1_773_489_600_000, "proven": "all",
             "error": None, "repaired": False, **more}  # fmt: skip
    return Captured(
        captured_file="h-0", captured_index=0, event=event, raw=lambda: b"", place="line 0", **given
    )


LAKE = LakeSettings(
    revenue_from=("revenue", "subtotal", "total_less_tax_shipping", "items"),
    sources={"web": SourceRules(currency="EUR")},
    privacy_key=b"key",
)
BY_NAME = {table.name: table for table in TABLES}


def fresh_pipeline() -> Pipeline:
    destinations = Destinations(read_document(shipped_mapping()), LAKE)
    return Pipeline(destinations, compile_schemas(read_schemas()), "ecommerce@00000000")


PIPELINE = fresh_pipeline()
