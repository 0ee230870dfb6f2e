"""A Mixpanel document: its shape, its settings, what reaches its actions, and where it may run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from mixpanel_samples import NOON_MS, SETTINGS, document, order, run, track

from connector.actions import compile_destination
from connector.actions.outgoing import OutgoingDestination
from connector.commands import check, map
from connector.config import load_settings
from connector.errors import ConfigError, MappingError
from connector.events import Captured
from connector.mapping import UNDEFINED, compile_mapping
from connector.mixpanel.fields import MIXPANEL_ACTIONS
from connector.mixpanel.ids import base36, derived_id
from connector.mixpanel.lookups import compile_payload
from connector.wiring import configure, dry_run

MAPPINGS = Path(__file__).parents[3] / "mappings"
SHIPPED = MAPPINGS / "mixpanel.yaml"


def faults(changed: Any) -> list[str]:
    with pytest.raises(MappingError) as error:
        compile_destination(changed)
    return [str(fault) for fault in error.value.faults]


class TestShippedMapping:
    def test_it_is_segments_own_pre_filled_subscriptions(self) -> None:
        shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
        viewed = {"event": {"@template": "Viewed {{name}}"}}
        presets = [
            ("Track Calls", 'type = "track" and event != "Order Completed"', "trackEvent", {}),
            ("Order Completed Calls", 'type = "track" and event = "Order Completed"', "trackPurchase", {}),
            ("Page Calls", 'type = "page"', "trackEvent", viewed),
            ("Screen Calls", 'type = "screen"', "trackEvent", viewed),
            ("Identify Calls", 'type = "identify"', "identifyUser", {}),
            ("Group Calls", 'type = "group"', "groupIdentifyUser", {}),
        ]

        assert shipped["subscriptions"] == [
            {"name": name, "subscribe": query, "partnerAction": action,
             "mapping": {**MIXPANEL_ACTIONS[action].default_mapping(), **change}}
            for name, query, action, change in presets
        ]  # fmt: skip

    def test_nothing_of_it_is_better_than_exact(self) -> None:
        said = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["settings"]

        assert {key: value for key, value in said.items() if isinstance(value, bool)} == dict.fromkeys(
            ("batch", "deterministicIds", "keepProductKeys", "foldEventNames", "purchasesOnlyOnOrders"), False
        )


class TestFaults:
    def test_one_document_is_for_one_of_them(self) -> None:
        mixed = document("trackEvent")
        mixed["subscriptions"].append(
            {"name": "B", "subscribe": 'type = "track"', "partnerAction": "storeEvent"}
        )

        (fault,) = faults(mixed)

        assert fault.startswith("/subscriptions/1/partnerAction 'storeEvent' is an action of the lake")

    def test_every_fault_is_reported_at_once(self) -> None:
        wrong = document("trackEvent", settings={"deterministicId": True, "batch": "no"}, ip={"@bogus": 1})
        wrong["subscriptions"].append({"name": "B", "subscribe": "type", "partnerAction": "trackEvents"})
        wrong["subscriptions"].append({**wrong["subscriptions"][0], "subscribe": "(", "mapping": {}})
        wrong["subscriptions"].append("x")

        found = faults(wrong)

        assert [fault.split()[0] for fault in found] == [
            "/subscriptions/3", "/settings/deterministicId", "/subscriptions/1/partnerAction",
            "/subscriptions/1/subscribe", "/subscriptions/2/name", "/settings/batch",
            "/subscriptions/0/mapping/ip", "/subscriptions/2/subscribe",
        ]  # fmt: skip
        assert any("did you mean 'trackEvent'" in fault for fault in found)

    def test_a_key_that_no_field_has_is_left_out_as_segment_does(self) -> None:
        assert run("trackEvent", track(), user_properties={"@path": "$.traits"}) == run("trackEvent", track())

    def test_what_is_switched_off_does_not_run(self) -> None:
        off = document("trackEvent")
        off["subscriptions"][0]["enabled"] = False

        assert compile_destination(off)(track()) == []


class TestSettings:
    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"projectToken": "t"}, "The root value is missing the required field 'apiSecret'."),
            ({"apiSecret": "s"}, "The root value is missing the required field 'projectToken'."),
            ({**SETTINGS, "apiRegion": "EU"}, "Data Residency must be one of"),
            ({**SETTINGS, "strictMode": "2"}, "Strict Mode must be one of"),
        ],
    )
    def test_wrong_ones_refuse_every_event_in_segments_words(self, said: Any, words: str) -> None:
        wrong = {**document("trackEvent"), "settings": said}

        (item,) = compile_destination(wrong)({"type": "alias"})

        assert item["rejected"]["code"] == "mapping_failed"
        assert words in item["rejected"]["message"]

    def test_segments_own_are_coerced_as_it_does(self) -> None:
        said = {"projectToken": 5, "apiSecret": None, "strictMode": 0, "sourceName": None}
        event = {"type": "alias"}

        (record,) = compile_destination({**document("alias"), "settings": said})(event)

        assert record["row"]["properties"] == {"token": "5", "segment_source_name": ""}

    def test_the_command_says_it_before_an_event_comes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "mixpanel.json"
        path.write_text(json.dumps({**document("alias"), "settings": {}}), encoding="utf-8")

        assert check.run(load_settings(), [str(path)]) == 1
        assert "would refuse every event" in " ".join(capsys.readouterr().err.split())


class TestMatching:
    def test_all_matching_subscriptions_send_in_order(self) -> None:
        both = document("trackEvent")
        both["subscriptions"] += [
            {**document("alias")["subscriptions"][0], "name": "B", "subscribe": 'type = "track"'},
            {**both["subscriptions"][0], "name": "C", "subscribe": 'properties.a = "1"'},
        ]
        send = compile_destination(both)

        assert [record["table"] for record in send(track())] == ["import", "track"]
        assert [record["table"] for record in send(track(properties={"a": "1"}))] == [
            "import",
            "track",
            "import",
        ]

    @pytest.mark.parametrize("name", [None, 5, True, [], {}, "Order Completed", "A"])
    @pytest.mark.parametrize("kind", ["track", None, 5, ["track"]])
    def test_the_memory_of_names_changes_nothing(self, kind: Any, name: Any) -> None:
        made = compile_destination(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
        event = {"type": kind, "event": name, "userId": "u1"}

        assert made(event) == made(event)
        assert bool(made(event)) == (kind == "track")

    def test_one_refusal_refuses_the_event(self) -> None:
        both = document("trackEvent")
        both["subscriptions"].append({**document("incrementProperties")["subscriptions"][0], "name": "B"})

        (item,) = compile_destination(both)(track())

        assert "increment" in item["rejected"]["message"]


def captured(
    event: Any, route: str = "file", received_at_ms: int | None = None, error: str | None = None
) -> Captured:
    return Captured("c", 0, "web", route, received_at_ms, "none", event, error, False, lambda: b"", "line 0")


class TestCapturedEvents:
    def test_traffic_of_an_sdk_gets_its_type_and_its_times(self) -> None:
        outgoing = OutgoingDestination(document("trackEvent"))

        outcome = outgoing(captured({"event": "A", "userId": "u1"}, "track", NOON_MS))

        assert outcome.rows[0].columns["properties"]["time"] == NOON_MS

    def test_the_arrival_is_the_time_of_an_event_that_says_none(self) -> None:
        outgoing = OutgoingDestination(document("trackEvent"))

        outcome = outgoing(captured({"type": "track", "event": "A"}, "webhook", NOON_MS))

        assert outcome.rows[0].columns["properties"]["time"] == NOON_MS

    @pytest.mark.parametrize(
        ("item", "code"),
        [
            (captured(None, error="truncated"), "truncated"),
            (captured([]), "not_an_object"),
            (captured({"type": "track"}), "mapping_failed"),
        ],
    )
    def test_what_is_refused_says_why(self, item: Captured, code: str) -> None:
        outcome = OutgoingDestination(document("trackEvent"))(item)

        assert outcome.rejected is not None
        assert (outcome.fate, outcome.rejected.code) == ("rejected", code)

    def test_what_nobody_subscribes_to_is_unmatched(self) -> None:
        assert OutgoingDestination(document("trackEvent"))(captured({"type": ""})).fate == "unmatched"


class TestCommands:
    def test_map_prints_a_line_per_record(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        file = tmp_path / "events.ndjson"
        lines = [order([{"sku": "s1"}]), {"type": "alias"}, track(""), track("A", userId={})]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

        map.run(load_settings(mapping=str(SHIPPED)), str(file), "file")

        printed = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
        assert [item.get("table", "rejected") for item in printed] == [
            "import",
            "import",
            "rejected",
            "rejected",
        ]

    def test_nothing_is_written_under_it(self, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigError, match="holds Mixpanel's actions; only connector map and check run those"
        ):
            configure(load_settings(mapping=str(SHIPPED), data=str(tmp_path)))

    def test_a_fault_names_its_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mixpanel.json"
        path.write_text(json.dumps(document("trackEvent", ip={"@bogus": 1})), encoding="utf-8")

        with pytest.raises(MappingError, match=r"mixpanel.json: /subscriptions/0/mapping/ip"):
            dry_run(load_settings(mapping=str(path)))


class TestDerivedIds:
    def test_the_vector_of_the_documentation(self) -> None:
        event = {
            "event": "Order Completed",
            "properties": {"order_id": "o1", "revenue": 25},
            "timestamp": "2026-01-05T10:00:00.000Z",
            "type": "track",
            "userId": "u1",
        }

        assert derived_id(event, None) == "1zvjsyo60ixouv0p"
        assert run("trackEvent", event)[0]["row"]["properties"]["$insert_id"] == "1zvjsyo60ixouv0p"

    @given(st.integers(0, 2**256))
    @settings(max_examples=50, deadline=None)
    def test_base_36_reads_back(self, number: int) -> None:
        assert int(base36(number), 36) == number

    def test_products_put_their_index_before_it(self) -> None:
        event = order([{}, {}], messageId=None)
        event["messageId"] = None

        first, *lines = [item["row"]["properties"]["$insert_id"] for item in run("trackPurchase", event)]

        assert lines == [f"0{first}", f"1{first}"]


_KEYS = st.sampled_from(["a", "b", "context", "0", "length", "__proto__"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "ab"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)
_PATHS = st.lists(_KEYS, max_size=3).map(lambda keys: {"@path": "$." + ".".join(keys)})
_MAPPINGS = st.dictionaries(
    _KEYS,
    _PATHS | st.dictionaries(_KEYS, _PATHS, max_size=3) | st.integers() | st.lists(_PATHS, max_size=2),
    max_size=6,
)


@given(_MAPPINGS, st.dictionaries(_KEYS, _VALUES, max_size=4))
@settings(max_examples=300, deadline=None)
def test_paths_looked_up_together_find_what_they_find_alone(mapping: Any, payload: Any) -> None:
    assert compile_payload(mapping)(payload) == compile_mapping(mapping)(payload)


def test_a_mapping_that_is_a_directive_is_run_as_a_whole() -> None:
    assert compile_payload({"@path": "$.a"})({"a": 1}) == 1
    assert compile_payload({"@path": "$.a"})({}) is UNDEFINED
