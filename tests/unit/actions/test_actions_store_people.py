"""Identify, group, alias and delete calls: one row each in their own tables (tables 2.6; quirk 65)."""

from __future__ import annotations

import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
from action_samples import ACTIONS, NOON_MS, call, main_row, notes, run

from connector.actions.call import LakeSettings, Refusal
from connector.tables import DELETIONS, GROUPS, PROFILES, TABLES, Column
from connector.tables.model import camel


def identify(traits: Any = None, **more: Any) -> dict[str, Any]:
    return main_row(call("identify", traits=traits, **more), "storeProfile")


BY_CODE: dict[str, tuple[Any, Any]] = {
    "S": ("text", "text"),
    "I": (34, 34),
    "L": (7, 7),
    "M": (241.75, Decimal("241.75")),
    "T": ("2026-03-14T12:00:00.000Z", NOON_MS),
}
TRAITS = [
    (action, column)
    for action, table in (("storeProfile", PROFILES), ("storeGroup", GROUPS))
    for column in table.columns
    if column.sources and column.sources[0].startswith("traits.")
]


def nested(path: str, value: Any) -> Any:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


@pytest.mark.parametrize(("action", "column"), TRAITS, ids=lambda item: getattr(item, "name", item))
def test_each_trait_fills_its_column_in_both_spellings(action: str, column: Column) -> None:
    sent, typed = BY_CODE[column.code]
    for path in column.sources:
        event = call(ACTIONS[action], **nested(path, sent))

        row = main_row(event, action)

        assert row[column.name] == typed
        assert json.loads(row["traits"]) == event["traits"]
        aliased = path != column.sources[0] and column.code != "T"
        assert notes(row) == [f"key_alias {path}"] * aliased


def test_what_profiles_read_is_what_the_contract_lists() -> None:
    names = [column.name for action, column in TRAITS if action == "storeProfile"]

    assert " ".join(names) == (
        "email phone name first_name last_name username title gender birthday avatar company_id company_name "
        "address_street address_city address_state address_postal_code address_country locale currency age "
        "created_at lifetime_value order_count"
    )
    assert camel("first_name") == "firstName"


def test_of_two_spellings_the_first_wins_and_a_difference_is_flagged() -> None:
    differ = identify({"firstName": "Inès", "first_name": "Ines"})
    agree = identify({"firstName": "Ines", "first_name": "Ines"})
    times = identify({"created_at": "2026-03-14T12:00:00.000Z", "createdAt": "2020-01-01T00:00:00.000Z"})

    assert (differ["first_name"], notes(differ)) == ("Ines", ["key_conflict traits.firstName"])
    assert (agree["first_name"], notes(agree)) == ("Ines", [])
    assert (times["created_at"], notes(times)) == (NOON_MS, ["key_conflict traits.createdAt"])


def test_traits_are_verbatim_nulls_included() -> None:
    sent = {
        "email": None,
        "plan": {"tier": 1.0},
        "phone": 15035550142,
        "address": "12 Main St",
        "company": [],
    }

    row = identify(sent)

    assert json.loads(row["traits"]) == sent
    assert (row.get("email"), row["phone"], row.get("address_street")) == (None, "15035550142", None)
    assert notes(row) == ["text_from_number traits.phone"]


@pytest.mark.parametrize("sent", ["vip", 5, ["a"], True])
def test_traits_of_another_shape_stay_in_the_envelope(sent: Any) -> None:
    row = identify(sent)

    assert "traits" not in row
    assert json.loads(row["envelope"]) == {"traits": sent}


@pytest.mark.parametrize("sent", [None, {}, [], ""])
def test_empty_traits_are_no_trouble(sent: Any) -> None:
    row = identify(sent)

    assert not {"traits", "envelope"} & row.keys()


def test_context_is_whole_and_properties_and_the_rest_are_in_the_envelope() -> None:
    context = {"ip": "::1", "groupId": "acc_1", "locale": "en", "own": {}}
    more = {
        "properties": {"a": 1},
        "integrations": {},
        "channel": "client",
        "event": "Signed Up",
        "version": 2,
    }

    row = identify({"age": 34}, context=context, **more)

    assert json.loads(row["context"]) == context
    assert json.loads(row["envelope"]) == more
    assert row["group_id"] == "acc_1"


def test_group_id_is_the_top_level_one_first() -> None:
    assert identify(groupId="g", context={"groupId": "c"})["group_id"] == "g"


def test_an_unreadable_context_is_flagged() -> None:
    row = identify(context="web")

    assert notes(row) == ["context_not_object context"]
    assert json.loads(row["envelope"]) == {"context": "web"}


def test_an_identify_of_nobody_is_kept_and_flagged() -> None:
    assert notes(identify({"age": 34}, userId=None)) == ["identity_missing userId"]
    assert identify(userId=None, anonymousId="a")["distinct_id"] == "a"


def test_a_group_call() -> None:
    row = main_row(call("group", groupId=17, traits={"name": "Fernhill", "employees": "12"}), "storeGroup")

    assert (row["type"], row["group_id"], row["name"], row["employees"]) == ("group", "17", "Fernhill", 12)
    assert notes(row) == ["text_from_number groupId", "number_from_text traits.employees"]
    assert json.loads(row["envelope"]) == {"groupId": 17}


def test_an_alias_call() -> None:
    context = {"library": {"name": "node"}}

    row = main_row(
        call("alias", previousId="dev_1", context=context, groupId="g", channel="server"), "storeAlias"
    )

    assert (row["previous_id"], row["user_id"], row["distinct_id"]) == ("dev_1", "usr_1", "usr_1")
    assert json.loads(row["context"]) == context
    assert json.loads(row["envelope"]) == {"groupId": "g", "channel": "server"}
    assert "group_id" not in row


@pytest.mark.parametrize(
    "missing", [{"previousId": None}, {"previousId": ""}, {}, {"userId": None, "previousId": "a"}]
)
def test_an_alias_that_names_one_id_only_is_refused(missing: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        run(call("alias", **missing), "storeAlias")

    assert refusal.value.code == "identity_missing"


def test_columns_of_the_mapping_and_promoted_ones() -> None:
    table = PROFILES.with_columns(
        [Column("tier", "S", "", ("traits.plan.tier",)), Column("project", "S", "", ("projectId",))]
    )
    settings = LakeSettings(tables=tuple(table if old is PROFILES else old for old in TABLES))
    fields = {"columns": {"email": {"@path": "$.traits.mail"}}}
    event = call("identify", traits={"mail": "i@example.com", "plan": {"tier": "gold"}}, projectId="p1")

    row = main_row(event, "storeProfile", fields, settings=settings)

    assert (row["email"], row["tier"], row["project"]) == ("i@example.com", "gold", "p1")


KEY = b"a key of the deployment"


def delete(proven: str = "all", settings: LakeSettings | None = None, **more: Any) -> dict[str, Any]:
    return main_row(call("delete", **more), "storeDeletion", settings=settings, proven=proven)


def digest(text: str) -> str:
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


@pytest.mark.parametrize("proven", ["all", "first"])
def test_a_proven_delete_is_a_row_with_a_keyed_hash(proven: str) -> None:
    row = delete(proven, LakeSettings(privacy_key=KEY), messageId="delete-reg-1")

    assert (row["subject_kind"], row["subject_hash"]) == ("user_id", digest("user_id:usr_1"))
    assert (row["type"], row["proven"], row["timestamp"]) == ("delete", proven, NOON_MS)
    assert notes(row) == []


def test_an_unproven_delete_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        delete("none")

    assert refusal.value.code == "delete_unproven"


@pytest.mark.parametrize("nobody", [{"userId": None}, {"userId": "", "anonymousId": ""}, {"userId": [""]}])
def test_a_delete_of_nobody_is_refused(nobody: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        delete(**nobody)

    assert refusal.value.code == "identity_missing"


def test_an_anonymous_person_and_a_number_are_hashed_as_text() -> None:
    settings = LakeSettings(privacy_key=KEY)

    assert delete(settings=settings, userId=None, anonymousId="dev_1")["subject_hash"] == digest(
        "anonymous_id:dev_1"
    )
    assert delete(settings=settings, userId=17)["subject_hash"] == digest("user_id:17")


def test_the_table_of_the_forgotten_names_nobody() -> None:
    secret = "usr_48213"
    said = dict.fromkeys(("userId", "anonymousId", "groupId", "previousId"), secret)
    objects = {key: {"id": secret} for key in ("context", "traits", "properties")}

    row = delete(settings=LakeSettings(privacy_key=KEY), **said, **objects, channel="server", projectId="p")

    assert secret not in repr(row)
    assert not {"user_id", "anonymous_id", "distinct_id", "group_id"} & row.keys()
    assert json.loads(row["envelope"]) == {"channel": "server", "projectId": "p"}


@pytest.mark.parametrize(
    "shape",
    [
        {"messageId": None, "receivedAt": None},
        {"context": None, "integrations": None},
        {"context": [], "integrations": []},
    ],
)
def test_all_three_shapes_of_a_delete_are_accepted(shape: dict[str, Any]) -> None:
    row = delete(**shape)

    assert row["subject_kind"] == "user_id"
    assert notes(row) == ["message_id_missing messageId"] * ("messageId" in shape)


def test_promoted_columns_of_a_deletion_are_set_by_the_mapping_only() -> None:
    table = DELETIONS.with_columns([Column("job", "S", "", ("messageId",))])
    settings = LakeSettings(
        privacy_key=KEY, tables=tuple(table if old is DELETIONS else old for old in TABLES)
    )
    fields = {"columns": {"job": {"@path": "$.messageId"}}}
    event = call("delete", messageId="delete-reg-1")

    assert "job" not in main_row(event, "storeDeletion", settings=settings, proven="all")
    assert main_row(event, "storeDeletion", fields, settings=settings, proven="all")["job"] == "delete-reg-1"


def test_without_a_privacy_key_the_hash_is_null() -> None:
    assert "subject_hash" not in delete()
