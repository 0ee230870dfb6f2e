"""The fields of a question as options of the command line."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from connector.errors import ConfigError
from connector.report.question import Duration, Question, duration_text

_METAVARS: dict[Any, str] = {date: "DAY", str: "TEXT", int: "NUMBER", float: "NUMBER"}


def options_of(question: type[Question]) -> Iterator[click.Option]:
    """One option a field; nothing is given unless it is typed, so defaults stay in the question."""
    for name, field in question.model_fields.items():
        flag = "--" + (field.alias or name).replace("_", "-")
        kind, many = _kind(field)
        help_text = (field.description or "") + _default(field, kind)
        if kind is bool:
            yield click.Option([f"{flag}/--no-{flag[2:]}", name], default=None, help=help_text)
            continue
        choice = (
            click.Choice([str(value) for value in get_args(kind)]) if get_origin(kind) is Literal else None
        )
        yield click.Option(
            [flag, name], type=choice or str, multiple=many, default=None, help=help_text,
            metavar=None if choice else _METAVARS.get(kind, "TEXT"),
        )  # fmt: skip


def question_from(question: type[Question], typed: dict[str, Any]) -> Question:
    """
    The question that options ask.

    Raises:
        ConfigError: an option does not fit; the message names the option and the rule.
    """
    given = {
        (question.model_fields[name].alias or name): value
        for name, value in typed.items()
        if value is not None and value != ()
    }
    return checked(question, given)


def checked(question: type[Question], parameters: dict[str, Any], where: str = "--") -> Question:
    """Parameters as a question. Raises ``ConfigError``, one line a fault."""
    try:
        return question.model_validate(parameters)
    except ValidationError as faults:
        lines = []
        for fault in faults.errors(include_input=False, include_url=False):
            place = ".".join(str(step) for step in fault["loc"]).replace("_", "-") or question.KIND
            lines.append(f"{where}{place}: {fault['msg']}")
        raise ConfigError("\n".join(lines)) from None


def _kind(field: FieldInfo) -> tuple[Any, bool]:
    """The type of one value, and whether there may be several."""
    kind: Any = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    many = get_origin(kind) is tuple
    if many:
        kind = get_args(kind)[0]
    return kind, many


def _default(field: FieldInfo, kind: Any) -> str:
    if field.is_required():
        return "  [required]"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), False, ""):
        return ""
    if kind is int and _is_duration(field):
        value = duration_text(value)
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return f"  [default: {value}]"


def _is_duration(field: FieldInfo) -> bool:
    validators = get_args(Duration)[1:]
    return any(part in field.metadata for part in validators)
