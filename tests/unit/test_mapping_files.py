"""Segment's answers become a mapping document and back: nothing changes, and no secret lands in the file."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import json_text
from connector.commands.mappings import document_text
from connector.errors import MappingError
from connector.mapping_files import Imported, export_document, import_answers
from connector.mapping_secrets import put_back, take_out

ACTIONS = ("trackEvent", "trackPurchase", "identifyUser")
HIDDEN = "hunter2-the-secret"
TRACKS: dict[str, Any] = {
    "id": "kFj1",
    "name": "Track Calls",
    "actionId": "vZ8a",
    "actionSlug": "trackEvent",
    "destinationId": "650c",
    "modelId": "",
    "enabled": True,
    "trigger": 'type = "track" and event != "Order Completed"',
    "settings": {"event": {"@path": "$.event"}, "distinct_id": {"@path": "$.userId"}},
}
ORDERS = {**TRACKS, "id": "mXq2", "name": "Orders", "actionSlug": "trackPurchase"}
DESTINATION: dict[str, Any] = {
    "id": "650c",
    "name": "Mixpanel of the shop",
    "enabled": True,
    "metadata": {"id": "61957755c4d820be968457de", "slug": "actions-mixpanel", "name": "Mixpanel (Actions)"},
    "sourceId": "2x7f",
    "settings": {"projectToken": "5d09", "apiSecret": HIDDEN, "apiRegion": "EU 🇪🇺"},
}


def listed(*subscriptions: Any, **others: Any) -> Any:
    return {"data": {"subscriptions": list(subscriptions), **others}}


def imported(*answers: Any) -> Imported:
    return import_answers(answers, ACTIONS)


def test_a_subscription_is_read_into_the_words_of_a_mapping_file() -> None:
    assert imported(listed(TRACKS)).document == {
        "settings": {},
        "subscriptions": [
            {
                "name": "Track Calls",
                "subscribe": 'type = "track" and event != "Order Completed"',
                "partnerAction": "trackEvent",
                "mapping": {"event": {"@path": "$.event"}, "distinct_id": {"@path": "$.userId"}},
                "x-segment": {"id": "kFj1", "actionId": "vZ8a", "destinationId": "650c", "modelId": ""},
            }
        ],
    }


@pytest.mark.parametrize(
    "answer",
    [
        listed(TRACKS),
        {"data": {"subscription": TRACKS}},
        {"data": {"destinationSubscription": TRACKS}},
        [TRACKS],
        TRACKS,
    ],
    ids=["list", "one", "created", "bare list", "bare"],
)
def test_every_form_of_an_answer_gives_the_same_mapping_and_the_list_form_comes_back(answer: Any) -> None:
    found = imported(answer)

    assert found.document == imported(listed(TRACKS)).document
    assert export_document(found.document, {}) == (listed(TRACKS), [])


def test_several_answers_make_one_mapping() -> None:
    found = imported(
        listed(TRACKS), {"data": {"destination": DESTINATION}}, {"data": {"subscription": ORDERS}}
    )

    assert [item["name"] for item in found.document["subscriptions"]] == ["Track Calls", "Orders"]
    assert found.document["settings"]["projectToken"] == "5d09"


def test_an_import_is_not_held_up_by_its_input() -> None:
    answer = listed(TRACKS, pagination={"current": "MA==", "totalEntries": 1})
    before = copy.deepcopy(answer)

    found = imported(answer)

    assert answer == before
    assert export_document(found.document, {}) == (before, [])


def test_a_disabled_subscription_stays_disabled_and_is_told() -> None:
    found = imported(listed({**TRACKS, "enabled": False}))

    assert found.document["subscriptions"][0]["enabled"] is False
    assert found.notes == ("Track Calls: is disabled in Segment, and stays so",)


def test_an_action_that_does_not_run_here_is_kept_and_told() -> None:
    answer = listed({**TRACKS, "actionSlug": "sendSms"})

    found = imported(answer)

    assert [item["partnerAction"] for item in found.document["subscriptions"]] == ["sendSms"]
    assert ["sendSms does not run here" in note for note in found.notes] == [True]
    assert export_document(found.document, {}) == (answer, [])


@pytest.mark.parametrize("slug", [{}, {"actionSlug": ""}, {"actionSlug": None}])
def test_without_a_slug_the_id_of_the_action_is_taken_and_told(slug: Any) -> None:
    answer = listed({**{key: value for key, value in TRACKS.items() if key != "actionSlug"}, **slug})

    found = imported(answer)

    assert found.document["subscriptions"][0]["partnerAction"] == "vZ8a"
    assert ["holds the id vZ8a" in note for note in found.notes] == [True]
    assert export_document(found.document, {}) == (answer, [])


def test_names_that_repeat_are_told_apart_and_come_back_as_they_were() -> None:
    answer = listed(TRACKS, TRACKS, {**TRACKS, "name": ""}, {**TRACKS, "name": "Track Calls (2)"})

    found = imported(answer)

    assert [item["name"] for item in found.document["subscriptions"]] == [
        "Track Calls", "Track Calls (2)", "Subscription", "Track Calls (2) (2)"
    ]  # fmt: skip
    assert len(found.notes) == 3
    assert export_document(found.document, {}) == (answer, [])


def test_what_was_changed_in_the_file_is_exported() -> None:
    document = imported(listed(TRACKS)).document
    document["subscriptions"][0]["subscribe"] = 'type = "page"'
    document["subscriptions"].append(
        {"name": "Own", "subscribe": 'type = "screen"', "partnerAction": "trackEvent", "enabled": False}
    )

    exported, _ = export_document(document, {})

    changed, own = exported["data"]["subscriptions"]
    assert changed == {**TRACKS, "trigger": 'type = "page"'}
    assert own == {
        "name": "Own",
        "actionSlug": "trackEvent",
        "enabled": False,
        "trigger": 'type = "screen"',
        "settings": {},
    }


def test_a_secret_is_replaced_by_the_name_of_a_variable() -> None:
    found = imported({"data": {"destination": DESTINATION, "subscriptions": [TRACKS]}})

    assert found.document["settings"]["apiSecret"] == "env:ACTIONS_MIXPANEL_API_SECRET"
    assert found.secrets == {"ACTIONS_MIXPANEL_API_SECRET": HIDDEN}
    assert HIDDEN not in json.dumps(found.document) + "".join(found.notes)
    assert "set ACTIONS_MIXPANEL_API_SECRET" in found.notes[0]


def test_a_secret_comes_back_from_its_variable_and_is_asked_for_without_it() -> None:
    answer = {"data": {"destination": DESTINATION, "subscriptions": [TRACKS]}}
    found = imported(answer)

    assert export_document(found.document, found.secrets) == (answer, [])
    assert export_document(found.document, {})[1] == ["ACTIONS_MIXPANEL_API_SECRET"]


def test_a_text_that_only_looks_like_a_reference_stays_what_it_is() -> None:
    answer = listed({**TRACKS, "settings": {"note": "env:HOME", "apiKey": HIDDEN}})
    found = imported(answer)

    assert export_document(found.document, {**found.secrets, "HOME": "/root"}) == (answer, [])


@pytest.mark.parametrize(
    "value",
    [
        {"apiSecret": HIDDEN},
        {"api_key": HIDDEN},
        {"headers": {"Authorization": HIDDEN}},
        {"headers": {"Authorization": {"@literal": HIDDEN}}},
        {"headers": {"Authorization": {"@template": f"Bearer {HIDDEN} {{{{x}}}}"}}},
        {"passwords": [HIDDEN, HIDDEN]},
        {"oauth": {"accessToken": HIDDEN, "deep": [{"client_secret": HIDDEN}]}},
        {"url": f"https://shop:{HIDDEN}@hooks.example/x"},
        {"token": HIDDEN},
    ],
)
def test_what_is_a_secret_is_taken_out_and_put_back(value: Any) -> None:
    secrets: dict[str, str] = {}
    notes: list[str] = []
    unset: list[str] = []

    without, places = take_out(value, "hook", secrets, notes)

    assert HIDDEN not in json.dumps(without) + "".join(notes)
    assert len(notes) == len(places) > 0
    assert put_back(without, places, secrets, unset) == value
    assert unset == []


@pytest.mark.parametrize(
    "value",
    [
        {"projectToken": "5d09"},
        {"password_reset": {"@path": "$.properties.password_reset"}},
        {"authorization": {"@template": "{{context.token}}"}},
        {"secret": "", "api_key": None, "apiKeyEnabled": True},
        {"url": "https://hooks.example/a:b@c"},
    ],
)
def test_what_is_no_secret_stays(value: Any) -> None:
    notes: list[str] = []

    assert take_out(value, "hook", {}, notes) == (value, {})
    assert notes == []


def test_a_number_where_a_secret_should_be_stays_and_is_told() -> None:
    notes: list[str] = []

    assert take_out({"password": 12345}, "hook", {}, notes) == ({"password": 12345}, {})
    assert ["is no text, and stays" in note and "12345" not in note for note in notes] == [True]


def test_different_secrets_of_one_name_have_different_variables() -> None:
    secrets: dict[str, str] = {}

    take_out({"a": {"secret": "x"}, "b": {"secret": "y"}, "c": {"secret": "x"}}, "hook", secrets, [])

    assert secrets == {"HOOK_SECRET": "x", "HOOK_SECRET_2": "y"}


FAULTS: dict[str, tuple[Any, str]] = {
    "no object": (5, "/ is no answer"),
    "no data": ({"errors": []}, "/ is no answer"),
    "nothing in it": ({"data": {}}, "/data holds no subscription"),
    "no list": ({"data": {"subscriptions": {}}}, "/data/subscriptions should be a list"),
    "no subscription": (listed(5), "/data/subscriptions/0 should be an object"),
    "no name": (listed({**TRACKS, "name": None}), "/data/subscriptions/0/name should be a text"),
    "no trigger": (listed({**TRACKS, "trigger": 5}), "/data/subscriptions/0/trigger should be a text"),
    "no switch": (listed({**TRACKS, "enabled": "yes"}), "/data/subscriptions/0/enabled should be"),
    "settings as text": (listed({**TRACKS, "settings": "{}"}), "/data/subscriptions/0/settings should be"),
    "no action": (listed({**TRACKS, "actionSlug": "", "actionId": ""}), "should have an actionSlug"),
    "our own keys": (listed({**TRACKS, "x-action": "a"}), "/data/subscriptions/0/x-action cannot be kept"),
    "a destination that is none": ({"data": {"destination": 5}}, "/data/destination should be an object"),
    "settings that are none": ({"data": {"destination": {"settings": 5}}}, "/data/destination/settings"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_no_answer_is_refused_with_the_path(case: str) -> None:
    answer, fault = FAULTS[case]

    with pytest.raises(MappingError) as refused:
        imported(answer)

    assert fault in str(refused.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(MappingError) as refused:
        imported(listed({**TRACKS, "name": 5, "trigger": 5}, 5))

    assert len(refused.value.faults) == 3


@pytest.mark.parametrize(
    "document", [None, {}, {"subscriptions": [5]}, {"subscriptions": [{"name": "a", "subscribe": "b"}]},
                 {"subscriptions": [{"name": "a", "subscribe": "b", "partnerAction": "c", "mapping": 5}]}],
)  # fmt: skip
def test_what_is_no_mapping_document_is_not_exported(document: Any) -> None:
    with pytest.raises(MappingError, match="/subscriptions"):
        export_document(document, {})


_TEXT = st.text(max_size=8) | st.sampled_from(
    ["yes", "2024-01-01", "null", "1e3", "- a", "env:HOME", "#", "é\u2028", "\x85", "\ufeff"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            _TEXT | st.sampled_from(["apiKey", "secret", "@path", "@literal", "a/b~c"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
_SUBSCRIPTIONS = st.fixed_dictionaries(
    {
        "name": _TEXT,
        "actionId": st.sampled_from(["vZ8a", "a"]),
        "enabled": st.booleans(),
        "trigger": _TEXT,
        "settings": st.dictionaries(_TEXT | st.sampled_from(["password"]), _JSON, max_size=3),
    },
    optional={
        "id": _TEXT,
        "actionSlug": st.sampled_from(["trackEvent", "sendSms", "", None]),
        "destinationId": _TEXT,
        "modelId": st.none() | _TEXT,
        "reverseETLSchedule": _JSON,
        "of a later version": _JSON,
    },
)
_DESTINATIONS = st.fixed_dictionaries(
    {"id": _TEXT},
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"slug": _TEXT, "name": _TEXT}),
        "settings": st.none() | st.dictionaries(_TEXT | st.just("apiSecret"), _JSON, max_size=3),
    },
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_SUBSCRIPTIONS, min_size=1, max_size=3),
    st.fixed_dictionaries({}, optional={"destination": _DESTINATIONS, "pagination": _JSON}),
)
def test_through_the_file_and_back_nothing_changes(subscriptions: Any, others: Any) -> None:
    answer = listed(*subscriptions, **others)
    found = imported(answer)

    from_yaml = yaml.safe_load(document_text(found.document))
    from_json = json.loads(json_text.dump(found.document))

    assert from_yaml == from_json == found.document
    assert export_document(from_yaml, found.secrets) == (answer, [])
    assert imported(export_document(from_yaml, found.secrets)[0]).document == found.document
