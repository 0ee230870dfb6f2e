"""YAML as CloudFormation writes it: ``!Ref``, ``!Sub`` and their like, read and printed. Pure."""

from __future__ import annotations

from typing import Any

import yaml

_WIDTH = 4_000
"""Long enough that no line is broken."""


class Tagged:
    """A short-form function over one text: ``!Ref Database``."""

    __slots__ = ("tag", "text")

    def __init__(self, tag: str, text: str) -> None:
        self.tag = tag
        self.text = text


class Flow(dict[str, Any]):
    """A mapping that is printed on one line."""


class FlowList(list[Any]):
    """A list that is printed on one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists below a key are indented, as people write them."""
        super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    pass


def dump(value: Any) -> str:
    """Print a value, keys in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)


def load(text: str) -> Any:
    """Read a template; short forms become long ones: ``!Ref X`` -> ``{"Ref": "X"}``.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with tags of its own


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Dumper.add_representer(Tagged, lambda dumper, value: dumper.represent_scalar(value.tag, value.text))
_Dumper.add_representer(
    Flow, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), True)
)
_Dumper.add_representer(
    FlowList, lambda dumper, value: dumper.represent_sequence("tag:yaml.org,2002:seq", value, True)
)
_Loader.add_multi_constructor("!", _long_form)
