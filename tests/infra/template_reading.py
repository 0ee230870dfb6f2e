"""The shipped template, read once for the tests of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from connector.events import Json
from connector.infra import yaml_tags
from connector.infra.template import shipped

ROOT = Path(__file__).parents[2]
TEXT = shipped("template.yaml").read_text(encoding="utf-8")
TEMPLATE = yaml_tags.load(TEXT)
RESOURCES: Mapping[str, Any] = TEMPLATE["Resources"]
PARAMETERS: Mapping[str, Any] = TEMPLATE["Parameters"]
ROLES = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::IAM::Role"]
FUNCTIONS = ("Receiver", "Writer", "Reconcile", "Janitor")


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def everything_in(value: Json) -> Iterable[Json]:
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from chain.from_iterable(map(everything_in, inner))


def references(value: Json) -> set[str]:
    """Every name that ``Ref``, ``GetAtt``, ``Sub`` and conditions speak of."""
    found: set[str] = set()
    for each in everything_in(value):
        if isinstance(each, dict):
            found |= {
                name for key, name in each.items() if key in ("Ref", "Condition") and isinstance(name, str)
            }
            found |= {target[0] for key, target in each.items() if key == "Fn::GetAtt"}
            found |= {target[0] for key, target in each.items() if key == "Fn::If"}
        elif isinstance(each, str):
            found |= {name.split(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", each)}
    return found


def statements(role: str) -> list[dict[str, Any]]:
    """Of a role's own policies, those under a condition too."""
    found = []
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            found.append(statement["Fn::If"][1] if "Fn::If" in statement else statement)
    return found


def listed(value: Json) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(role: str) -> set[str]:
    return {action for statement in statements(role) for action in listed(statement["Action"])}
