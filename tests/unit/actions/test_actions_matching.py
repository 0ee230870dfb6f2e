"""Which subscriptions an event meets: the same whatever came before it, and what happens when one fails."""

from __future__ import annotations

from typing import Any

import pytest
from action_samples import call, document, notes, track

from connector.actions import compile_destination
from connector.actions.call import LakeSettings, SourceRules
from connector.actions.destination import Destination, Destinations
from connector.actions.prepare import prepare
from connector.mapping import subscription

PER_PRODUCT = "generatePurchaseEventPerProduct"


def subscriptions(*queries: str) -> dict[str, Any]:
    return {
        "subscriptions": [
            {"name": query, "subscribe": query, "partnerAction": "storeEvent", "mapping": {}}
            for query in queries
        ]
    }


def met(lake: Destination, event: Any) -> list[str]:
    rows = lake.rows(prepare(event, source="web"))
    return [row.columns["subscription"] for row in rows or ()]


BY_NAME = ('event = "Sale"', 'type = "page"', 'event != "Sale"')
PAGE, SALE_PAGE = call("page"), call("page", event="Sale")
EVENTS = [
    PAGE,
    SALE_PAGE,
    call("page", event=None),
    track("Sale"),
    track("Other"),
    call("screen", event="Sale"),
    call("page", event={"name": "Sale"}),
]
MET = [
    [BY_NAME[1], BY_NAME[2]],
    [BY_NAME[0], BY_NAME[1]],
    [BY_NAME[1], BY_NAME[2]],
    [BY_NAME[0]],
    [BY_NAME[2]],
    [BY_NAME[0]],
    [BY_NAME[1], BY_NAME[2]],
]


@pytest.mark.parametrize("first", range(len(EVENTS)))
def test_what_came_before_does_not_matter(first: int) -> None:
    lake = Destination(subscriptions(*BY_NAME), LakeSettings())
    met(lake, EVENTS[first])

    assert [met(lake, event) for event in EVENTS] == MET
    assert [met(lake, event) for event in reversed(EVENTS)] == MET[::-1]


def test_a_subscription_may_ask_for_more_than_the_name() -> None:
    lake = Destination(subscriptions('event = "Sale" and properties.shop = "Berlin"'), LakeSettings())

    assert [len(met(lake, track("Sale", {"shop": shop}))) for shop in ("Berlin", "Oslo", "Berlin")] == [
        1,
        0,
        1,
    ]


def test_more_names_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "_MOST_NAMES", 2)
    lake = Destination(subscriptions(*BY_NAME), LakeSettings())

    names = ["Sale", "A", "B", "C", "Sale"]

    assert [met(lake, track(name)) for name in names] == [[BY_NAME[name != "Sale" and 2]] for name in names]


def test_a_subscription_sees_the_spec_s_name() -> None:
    lake = Destination(subscriptions('event = "Order Completed"'), LakeSettings())

    assert len(met(lake, track("completed_order"))) == 1


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"columns": {"brand": {"@path": {"@path": "$.properties.where"}}}}, track("A", {"where": 41_972})),
        ({"event": {"@template": {"@path": "$.properties.where"}}}, track("A", {"where": 41_972})),
        ({PER_PRODUCT: {"@path": {"@path": "$.properties.where"}}}, track("A", {"where": 41_972})),
    ],
)
def test_a_directive_that_fails_rejects_the_event_without_telling_the_value(fields: Any, event: Any) -> None:
    (shown,) = compile_destination(document("storePurchase", fields))(event)

    assert shown["rejected"]["code"] == "mapping_failed"
    assert "expected string, got number" in shown["rejected"]["message"]
    assert "'All'" in shown["rejected"]["message"]
    assert "41972" not in shown["rejected"]["message"]


def test_a_document_is_compiled_once_for_each_set_of_rules() -> None:
    german = SourceRules(event_aliases={"Verkauft": "Sale"})
    sources = {"shop": german, "app": SourceRules(event_aliases={"Verkauft": "Sale"}), "kiosk": SourceRules()}

    lakes = Destinations(subscriptions(*BY_NAME), LakeSettings(sources=sources))

    assert lakes.of("shop") is lakes.of("app")
    assert lakes.of("kiosk") is lakes.of("blog")
    assert lakes.of("shop") is not lakes.of("blog")


def test_subscriptions_see_the_name_that_the_source_s_alias_stands_for() -> None:
    lake = Destination(
        subscriptions(*BY_NAME), LakeSettings(), SourceRules(event_aliases={"Verkauft": "Sale"})
    )

    (row,) = lake.rows(prepare(track("Verkauft"), source="shop", names=lake.names)) or ()

    assert (row.columns["subscription"], row.columns["event"]) == (BY_NAME[0], "Sale")
    assert (row.columns["received_event"], notes(row.columns)) == ("Verkauft", ["event_renamed event"])


def test_an_alias_leaves_the_identity_of_a_row_alone() -> None:
    """Or a name that is aliased later would turn every stored event into a second one."""
    event = track("Verkauft")

    aliased = prepare(event, source="shop", names=lambda _: "Order Completed")

    assert aliased.key == prepare(event, source="shop").key


def test_a_preview_reads_events_under_the_rules_of_plain_files() -> None:
    settings = LakeSettings(sources={"file": SourceRules(event_aliases={"Verkauft": "Order Completed"})})

    (found,) = compile_destination(document("storeEvent"), settings=settings)(track("Verkauft"))

    assert found["row"]["event"] == "Order Completed"
