"""The SAM template: the shipped text, with the parts that declarations give put between their marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from connector.errors import ConfigError
from connector.infra import yaml_tags
from connector.infra.alarms import alarm_resources
from connector.infra.glue import glue_tables
from connector.tables import Table

_MARKED = r"(?P<begin>^ *# BEGIN {name}\b[^\n]*\n)(?P<inside>.*?)(?P<end>^ *# END {name}$)"
_INDENT = "  "
_CODE = re.compile(r"^(\s+CodeUri: )\S*?/(\w+\.zip)$", re.MULTILINE)


def shipped(name: str) -> Path:
    """A file of ``infra/``: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("connector")))
    installed = package / "infra" / name
    return installed if installed.is_file() else package.parent / "infra" / name


def render(text: str, tables: Iterable[Table]) -> str:
    """The template with Glue tables of these tables, and the alarms.

    Args:
        text: a template with the marks ``# BEGIN tables`` to ``# END tables``, and the same for alarms.

    Raises:
        ConfigError: a mark is missing.
    """
    text = _between(text, "tables", glue_tables(tables))
    return _between(text, "alarms", alarm_resources())


def with_code(text: str, address_of: Callable[[str], str]) -> str:
    """The template with other places of the bundles: each ``receiver.zip`` and so on is asked for.

    Raises:
        ConfigError: the template names no bundle.
    """
    text, found = _CODE.subn(lambda match: match[1] + address_of(match[2]), text)
    if not found:
        raise ConfigError("the template has no CodeUri that ends in .zip")
    return text


def _between(text: str, name: str, resources: Mapping[str, Any]) -> str:
    marks = re.compile(_MARKED.format(name=name), re.MULTILINE | re.DOTALL)
    if not marks.search(text):
        raise ConfigError(f"the template has no marks # BEGIN {name} and # END {name}")
    inside = "\n".join(_resource(each, resource) for each, resource in resources.items())
    return marks.sub(lambda match: match["begin"] + inside + match["end"], text)


def _resource(name: str, resource: Any) -> str:
    lines = yaml_tags.dump({name: resource}).splitlines()
    return "".join(f"{_INDENT}{line}\n" for line in lines)


def with_defaults(text: str, defaults: Mapping[str, str]) -> str:
    """The template with other defaults of text parameters.

    Raises:
        ConfigError: it has no such parameter, or one without a default on its third line.
    """
    for name, value in defaults.items():
        declared = re.search(rf"(?m)^  {name}:\n    Type: String\n    Default: ([^\n]*)", text)
        if declared is None:
            raise ConfigError(f"the template has no parameter {name} with a default")
        text = f"{text[: declared.start(1)]}{value}{text[declared.end(1) :]}"
    return text
