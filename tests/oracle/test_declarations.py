"""What we declare of Mixpanel's actions is what Segment declares: keys, types, rules, labels and defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

from connector.mapping.fields import ActionField
from connector.mixpanel.fields import MIXPANEL_ACTIONS, SETTINGS_FIELDS
from tests.oracle import running
from tests.oracle.install import ROOT
from tests.oracle.oracle import Oracle

oracle = running.oracle

_PLAIN = {"type": "string", "required": False, "multiple": False, "allowNull": False, "minimum": None,
          "maximum": None, "format": None, "additionalProperties": False}  # fmt: skip


@pytest.fixture(scope="module")
def declared(oracle: Oracle) -> Mapping[str, Any]:
    found: Mapping[str, Any] = oracle.ask({"op": "declarations"})["value"]
    return found


def test_the_actions_are_the_same_in_the_same_order(declared: Mapping[str, Any]) -> None:
    assert sorted(declared["actions"]) == sorted(MIXPANEL_ACTIONS)


@pytest.mark.parametrize("action", MIXPANEL_ACTIONS)
def test_each_field_of_an_action_is_declared_as_segment_does(
    declared: Mapping[str, Any], action: str
) -> None:
    assert _ours(MIXPANEL_ACTIONS[action].fields) == _theirs(declared["actions"][action])


def test_the_settings_are_checked_by_the_same_declaration(declared: Mapping[str, Any]) -> None:
    without_defaults = [(key, {**field, "default": None}) for key, field in declared["settings"]]

    assert _ours(SETTINGS_FIELDS) == _theirs(without_defaults)


def test_the_shipped_mapping_file_holds_segments_presets(declared: Mapping[str, Any]) -> None:
    document = yaml.safe_load((ROOT / "mappings/mixpanel.yaml").read_text())
    keys = ("name", "subscribe", "partnerAction", "mapping")

    shipped = [{key: item[key] for key in keys} for item in document["subscriptions"]]

    assert shipped == [{key: preset[key] for key in keys} for preset in declared["presets"]]


def _ours(fields: Iterable[ActionField]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            field.key,
            {
                "label": field.label,
                "type": field.type,
                "required": field.required,
                "multiple": field.multiple,
                "allowNull": field.allow_null,
                "minimum": field.minimum,
                "maximum": field.maximum,
                "format": field.format,
                "additionalProperties": field.additional_properties,
                "choices": list(field.choices),
                "default": field.default,
                "properties": _ours(field.properties),
            },
        )
        for field in fields
    ]


def _theirs(fields: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            key,
            {
                "label": field["label"],
                **{name: field.get(name, plain) for name, plain in _PLAIN.items()},
                "choices": [
                    choice["value"] if isinstance(choice, dict) else choice
                    for choice in field.get("choices", ())
                ],
                "default": field.get("default"),
                "properties": _theirs(field.get("properties", {}).items()),
            },
        )
        for key, field in fields
    ]
