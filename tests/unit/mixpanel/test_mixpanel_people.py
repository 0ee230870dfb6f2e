"""identifyUser, groupIdentifyUser, alias, incrementProperties (mixpanel-actions 6)."""

from __future__ import annotations

from typing import Any

import pytest
from mixpanel_samples import refusal, run, track

PERSON = {"type": "identify", "userId": "u1", "anonymousId": "a1"}


def traits_of(traits: Any) -> Any:
    return run("identifyUser", {"type": "identify", "userId": "u1", "traits": traits})[0]["row"]["$set"]


def test_the_device_is_joined_before_the_traits_are_set() -> None:
    sent = run("identifyUser", {**PERSON, "traits": {"plan": "gold"}, "context": {"ip": "203.0.113.7"}})

    assert sent == [
        {"table": "track", "row": {"event": "$identify", "properties": {
            "$identified_id": "u1", "$anon_id": "a1", "token": "token"}}},
        {"table": "engage", "row": {"$token": "token", "$distinct_id": "u1", "$ip": "203.0.113.7",
                                    "$set": {"plan": "gold"}}},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("user", "sent"), [({"userId": None}, {"$identified_id": None}), ({"userId": ""}, {}), ({}, {})]
)
def test_a_null_user_is_sent_and_an_empty_one_is_not(user: Any, sent: Any) -> None:
    (record,) = run("identifyUser", {"type": "identify", "anonymousId": "a1", **user})

    assert record["row"]["properties"] == {**sent, "$anon_id": "a1", "token": "token"}


def test_a_device_alone_is_who_the_traits_are_about() -> None:
    _, engage = run(
        "identifyUser", {"type": "identify", "userId": None, "anonymousId": "a1", "traits": {"a": 1}}
    )

    assert engage["row"]["$distinct_id"] == "a1"


def test_neither_device_nor_traits_send_nothing() -> None:
    assert run("identifyUser", {"type": "identify", "userId": "u1", "traits": {}}) == []


@pytest.mark.parametrize(
    ("traits", "sent"),
    [
        ({"email": "a@b", "username": "", "phone": None}, {"$email": "a@b", "$username": "", "$phone": None}),
        ({"firstName": "A", "lastName": "B"}, {"$first_name": "A", "$last_name": "B", "$name": "A B"}),
        (
            {"firstName": 1, "lastName": True, "name": None},
            {"$first_name": 1, "$last_name": True, "$name": "1 true"},
        ),
        ({"firstName": "A", "lastName": ""}, {"$first_name": "A", "$last_name": ""}),
        (
            {"firstName": "A", "lastName": "B", "name": ""},
            {"$first_name": "A", "$last_name": "B", "$name": ""},
        ),
        ({"created": None, "createdAt": 5, "created_at": 6}, {"$created": 5}),
        ({"created_at": None}, {"$created": None}),
        ({"created": None}, {}),
        ({"$email": "lost", "$name": "lost", "$created": "lost", "$other": "kept"}, {"$other": "kept"}),
    ],
)
def test_special_traits_have_mixpanels_names(traits: Any, sent: Any) -> None:
    assert traits_of(traits) == sent


def test_a_group_is_set_with_its_traits() -> None:
    traits = {"name": "Acme", "createdAt": 5, "seats": None}

    (record,) = run("groupIdentifyUser", {"type": "group", "groupId": "g1", "traits": traits})

    assert record == {
        "table": "groups",
        "row": {"$token": "token", "$group_key": "$group_id", "$group_id": "g1",
                "$set": {"$name": "Acme", "$created": 5, "seats": None}},
    }  # fmt: skip


@pytest.mark.parametrize(("company", "group_id"), [("acme", "acme"), ("", "g1"), (0, "g1"), ({}, {})])
def test_a_trait_named_like_the_group_key_is_the_group(company: Any, group_id: Any) -> None:
    event = {"type": "group", "groupId": "g1", "traits": {"company": company}}

    row = run("groupIdentifyUser", event, group_key="company")[0]["row"]

    assert (row["$group_key"], row["$group_id"]) == ("company", group_id)


def test_a_group_call_needs_traits_that_may_be_empty() -> None:
    event = {"type": "group", "groupId": "g1"}

    assert refusal("groupIdentifyUser", event) == '"traits" is a required field'
    assert run("groupIdentifyUser", {**event, "traits": {}})[0]["row"]["$set"] == {}


@pytest.mark.parametrize(
    ("ids", "sent"),
    [
        ({"userId": "u1", "previousId": "a1"}, {"alias": "u1", "distinct_id": "a1"}),
        ({"userId": None, "anonymousId": "a1", "previousId": "p1"}, {"alias": "a1", "distinct_id": "p1"}),
        ({"anonymousId": None}, {"alias": None}),
        ({}, {}),
    ],
)
def test_an_alias_is_sent_whatever_is_missing(ids: Any, sent: Any) -> None:
    (record,) = run("alias", {"type": "alias", **ids}, settings={"sourceName": "web"})

    assert record["table"] == "track"
    assert record["row"] == {
        "event": "$create_alias", "properties": {**sent, "token": "token", "segment_source_name": "web"}
    }  # fmt: skip


def increment(values: Any) -> Any:
    return track("Level Up", {"increment": values})


def test_numbers_and_texts_of_numbers_are_added_and_the_rest_is_passed_over() -> None:
    values = {
        "a": 1,
        "b": "2.5",
        "c": "",
        "d": " 7 ",
        "e": True,
        "f": None,
        "g": [1],
        "h": "0x10",
        "i": "1e400",
    }

    (record,) = run("incrementProperties", increment(values))

    assert record["table"] == "engage"
    assert record["row"] == {
        "$token": "token", "$distinct_id": "u1",
        "$add": {"a": 1, "b": 2.5, "c": 0, "d": 7, "h": 16, "i": None},
    }  # fmt: skip


def test_a_word_is_no_increment() -> None:
    assert refusal("incrementProperties", increment({"a": "x"})) == 'The key "a" was not numeric'


def test_at_most_twenty_properties_are_incremented() -> None:
    twenty = {f"p{number}": 1 for number in range(20)}

    assert run("incrementProperties", increment(twenty))[0]["row"]["$add"] == twenty
    assert "maximum of 20" in refusal("incrementProperties", increment({**twenty, "more": 1}))


def test_nothing_to_add_sends_nothing_and_a_missing_object_is_refused() -> None:
    assert run("incrementProperties", increment({})) == []
    assert "increment" in refusal("incrementProperties", track())


@pytest.mark.parametrize("action", ["identifyUser", "incrementProperties"])
def test_profiles_need_a_token(action: str) -> None:
    event = {**PERSON, "properties": {"increment": {"a": 1}}}

    assert refusal(action, event, settings={"projectToken": ""}) == "Missing project token"
