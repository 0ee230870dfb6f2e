"""JSON files that people keep: read strictly, written readably."""

from __future__ import annotations

import json

from connector.events import Json


class NotJson(ValueError):
    """A text is no JSON; ``line`` is where, from 1, when that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def load(text: str) -> Json:
    """The value of a document. Raises ``NotJson``, for ``NaN`` and infinities too."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotJson(str(error), error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def dump(document: Json) -> str:
    """A document with two blanks a level and a newline; lone surrogates, which UTF-8 cannot hold, escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    return f"{text}\n"


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON number")
