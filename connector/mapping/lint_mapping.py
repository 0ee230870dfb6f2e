"""What a mapping says that resolves to something else than it seems. Source: mapping-kit 2 to 4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from connector.events import Json
from connector.mapping.compile import DIRECTIVES, ROOT_DIRECTIVE
from connector.mapping.jsvalues import is_truthy
from connector.mapping.paths import parse_path
from connector.mapping.trap import Trap, did_you_mean, pointer_step
from connector.mapping.validate_mapping import directive_name

_LIQUID = "@liquid"
_KNOWN = sorted({*DIRECTIVES, _LIQUID})
_METADATA = "_metadata"
_ROOT = "$."
_NEGATIVE = re.compile(r"\[\s*-\d+\s*\]|(?:^|\.)-\d+(?=\.|$)")
_WILDCARD = re.compile(r"\[\s*\*?\s*\]|(?:^|\.)\*(?=\.|\[|$)")
_QUOTED_DOT = re.compile(r"""\[\s*(["'])[^\]]*?\.[^\]]*?\1\s*\]|\\\.""")
_PLAIN_BRACKET = re.compile(r"\[(?![\"'\d])")
_PLACEHOLDER = re.compile(r"\{\{\{?([^{}]+)\}\}")
_CASES = ("lower", "upper")


def lint_mapping(mapping: Json) -> list[Trap]:
    """Return the traps of a mapping, or of one value of it, in the order of its keys; paths begin at it.

    Where there are faults as well (``validate_mapping``), what cannot be understood is passed over.
    """
    return list(_value(mapping, ""))


def _value(value: Json, path: str) -> Iterator[Trap]:
    if isinstance(value, str):
        yield from _plain_text(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(item, f"{path}/{index}")
    elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
        name = None if ROOT_DIRECTIVE in value else directive_name(value)
        if name is None:
            yield from _members(value, path)
        elif name in _KNOWN:
            yield from _LINTS.get(name, _members_of)(value[name], path + pointer_step(name))
        else:
            hint = did_you_mean(name, _KNOWN)
            yield Trap("directive-unknown", path, f"{name} is no directive.", hint)


def _members(value: Mapping[str, Json], path: str) -> Iterator[Trap]:
    for key, item in value.items():
        if key != _METADATA:
            yield from _value(item, path + pointer_step(key))


def _members_of(options: Json, path: str) -> Iterator[Trap]:
    if isinstance(options, dict):
        yield from _value(options, path) if directive_name(options) else _members(options, path)
    elif isinstance(options, list):
        yield from _value(options, path)


def _plain_text(text: str, path: str) -> Iterator[Trap]:
    if text.startswith(_ROOT):
        yield Trap("text-like-path", path, f"`{text}` is plain text here, not a path.",
                   f'Write {{"@path": "{text}"}}.')  # fmt: skip
    elif _PLACEHOLDER.search(text):
        yield Trap("text-like-template", path, f"`{text}` is plain text here, its braces are not filled in.",
                   f'Write {{"@template": "{text}"}}.')  # fmt: skip


def _path(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, str):
        yield from _value(options, path)
        return
    inner = options.find(_ROOT, 1)
    if inner >= 0:
        cut = options.replace(_ROOT, "", 1)
        yield Trap("path-inner-root", path, f"The first `$.` is taken out wherever it is: `{cut}` is read.",
                   "Write `$.` at the very beginning, once.")  # fmt: skip
    elif options.startswith("$") and not options.startswith(_ROOT):
        key = parse_path(options)[0]
        yield Trap("path-dollar", path, f"Without a dot behind it `$` is part of the key: `{key}` is read.",
                   "Begin with `$.`.")  # fmt: skip
    yield from _steps(options, path)


def _steps(written: str, path: str) -> Iterator[Trap]:
    """Tell what a path does not understand, be it a directive's or a placeholder's."""
    if _QUOTED_DOT.search(written):
        yield Trap("path-dot", path, "Dots separate keys, in quotes and behind a backslash too.",
                   "A key with a dot cannot be reached: take the whole object, or rename it.")  # fmt: skip
    if _WILDCARD.search(written):
        yield Trap("path-wildcard", path, "A path has no wildcard: `*` and `[]` are looked up as keys.",
                   "Use @arrayPath for what is to be done with every item.")  # fmt: skip
    elif _NEGATIVE.search(written):
        yield Trap("path-negative-index", path, "A negative index finds nothing: items count from 0.",
                   "The last item cannot be reached by a path.")  # fmt: skip
    elif _PLAIN_BRACKET.search(written):
        yield Trap("path-bracket", path, "A bracket without a number or quotes is part of the key.",
                   "Write [0], or a dot and the key.")  # fmt: skip


def _template(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, str):
        yield from _value(options, path)
        return
    for inside in _PLACEHOLDER.findall(options):
        name = inside.strip()
        if name.startswith("$"):
            better = name.removeprefix(_ROOT)
            yield Trap("template-root", path, f"`{{{{{name}}}}}` is always empty: `$` is a key here.",
                       f"Write {{{{{better}}}}}.")  # fmt: skip
        else:
            yield from _steps(name, path)


def _literal(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, str):
        yield from _value(options, path)


def _if(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, dict):
        return
    if not is_truthy(options.get("exists")) and not is_truthy(options.get("blank")):
        yield Trap("if-condition", path, "Without something to look at in `exists` every event fails.",
                   'Write "exists": {"@path": "$.…"}.')  # fmt: skip
    elif "exists" not in options:
        yield Trap("if-blank", f"{path}/blank", "`blank` holds for values that are NOT blank.",
                   "`then` is for filled values: exchange then and else if need be.")  # fmt: skip
    if "else" in options and not is_truthy(options["else"]):
        yield Trap("if-else-falsy", f"{path}/else", "A false, 0, null or empty `else` counts as none.",
                   'Write {"@literal": …} around it.')  # fmt: skip
    yield from _members(options, path)


def _json(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, dict):
        return
    mode = options.get("mode")
    if isinstance(mode, str) and mode.lower() in ("encode", "decode") and mode != mode.lower():
        yield Trap("json-mode-case", f"{path}/mode", f"`{mode}` is not understood: the key is left out.",
                   f"Write {mode.lower()}.")  # fmt: skip
    yield from _option(options, "value", path)


def _merge(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, dict):
        return
    direction = options.get("direction")
    if not is_truthy(direction):
        yield Trap("merge-direction", path, "Without a direction every event fails.", "Write left or right.")
    elif isinstance(direction, str) and direction not in ("left", "right"):
        yield Trap("merge-direction", f"{path}/direction", f"`{direction}` acts as right: later objects win.",
                   f"Write {direction.lower()}.")  # fmt: skip
    yield from _option(options, "objects", path)


def _case(options: Json, path: str) -> Iterator[Trap]:
    if not isinstance(options, dict):
        return
    operator = options.get("operator")
    if isinstance(operator, str) and operator not in _CASES:
        yield Trap("case-operator", f"{path}/operator", f"`{operator}` fails for every text here.",
                   "Write lower or upper.")  # fmt: skip
    yield from _option(options, "value", path)


def _only_value(options: Json, path: str) -> Iterator[Trap]:
    if isinstance(options, dict):
        yield from _option(options, "value", path)


def _option(options: Mapping[str, Json], name: str, path: str) -> Iterator[Trap]:
    if name in options:
        yield from _value(options[name], path + pointer_step(name))


def _array_path(options: Json, path: str) -> Iterator[Trap]:
    if isinstance(options, list) and options:
        yield from _path(options[0], f"{path}/0")
        if len(options) > 1:
            yield from _value(options[1], f"{path}/1")


_LINTS: Mapping[str, Callable[[Json, str], Iterator[Trap]]] = {
    "@path": _path,
    "@template": _template,
    "@literal": _literal,
    "@if": _if,
    "@json": _json,
    "@merge": _merge,
    "@case": _case,
    "@replace": _only_value,
    "@flatten": _only_value,
    "@arrayPath": _array_path,
    _LIQUID: lambda _options, _path: iter(()),
}
