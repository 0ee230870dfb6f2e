"""YAML as people write it, with the one mistake refused that YAML itself lets pass: a key written twice."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """The safe loader; the second of two equal keys is an error, not the winner."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in seen:
                    problem = f"the key {key} stands there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                seen.add(key)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The value of a document.

    Raises:
        yaml.YAMLError: it is not YAML, nests too deep to be read, or a key stands twice in one mapping;
            ``problem_mark`` says where.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a subclass of the safe loader
    except RecursionError:
        raise yaml.YAMLError("nests too deep") from None


def place_and_problem(error: yaml.YAMLError) -> str:
    """``, line 7: the key web stands there twice``, or ``: is not YAML``."""
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark else ""
    twice = isinstance(error, yaml.constructor.ConstructorError) and "twice" in str(error.problem)
    return f"{where}: {error.problem if twice else 'is not YAML'}"  # type: ignore[attr-defined]
