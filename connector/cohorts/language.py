"""Conditions as a person types them: ``did 'Product Viewed' at least 2 in 30d and not did 'Cart Viewed'``.

    condition   part [and|or part]..., not part, ( condition ); and binds closer than or
    part        did EVENT [where (SQL)] [with AGGREGATE(COLUMN)] [BOUND] [TIME]
                profile COLUMN COMPARED, in cohort NAME
    SQL         a condition on the rows of the event, as in reports: (category = 'Toys' and price > 10)
    COMPARED    = != < <= > >= VALUE, in (VALUE, ...), contains TEXT, is set
    BOUND       at least N, at most N, more than N, less than N, exactly N
    TIME        in 30d (36h, 15m), from DAY, to DAY (included), from DAY to DAY
    AGGREGATE   sum avg min max distinct

Pure. Texts stand between quotation marks of either kind; a mark inside is written twice.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from connector.cohorts.definition import Definition, definition_of
from connector.errors import ConfigError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<day>\d{4}-\d{2}-\d{2})
      | (?P<duration>\d+(?:ms|[smhd])\b)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_$][\w.@-]*)
      | (?P<mark><=|>=|!=|[=<>(),])
    )""",
    re.VERBOSE,
)
_OPENING = re.compile(r"\s*\(")
_TEXT_OR_BRACKET = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]""")
_BOUNDS = {("at", "least"): "at_least", ("at", "most"): "at_most", ("more", "than"): "more_than",
           ("less", "than"): "less_than"}  # fmt: skip
_AGGREGATES = ("sum", "avg", "min", "max", "distinct")
_DEEPEST = 50


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def conditions_of(text: str, where: str = "--where") -> Any:
    """
    The conditions in a text, as a definition holds them.

    Raises:
        ConfigError: the message names the place, counted in characters from 1, and what is expected there.
    """
    parser = _Parser(_tokens(text, where), where)
    document = parser.condition(0)
    parser.end()
    checked: Definition = definition_of({"name": "conditions", "conditions": document}, where)
    return checked.stated()["conditions"]


def _tokens(text: str, where: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            at = position + len(text[position:]) - len(text[position:].lstrip()) + 1
            raise ConfigError(f"{where}: character {at}: cannot be read; texts stand between quotation marks")
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
        position = match.end()
        if found[-1].text.lower() == "where" and found[-1].kind == "word":
            found.append(_bracketed(text, position, where))
            position = found[-1].at - 1 + len(found[-1].text)
    return [*found, _Token("end", "", len(text) + 1)]


def _bracketed(text: str, position: int, where: str) -> _Token:
    """What stands in brackets, whatever it is."""
    opening = _OPENING.match(text, position)
    if opening is None:
        raise ConfigError(f"{where}: character {position + 2}: expected a condition in brackets")
    start, depth = opening.end() - 1, 0
    for match in _TEXT_OR_BRACKET.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return _Token("sql", text[start : match.end()], start + 1)
    raise ConfigError(f"{where}: character {start + 1}: this bracket is not closed")


class _Parser:
    """Recursive descent; every method reads one rule and returns it as the document has it."""

    def __init__(self, tokens: list[_Token], where: str) -> None:
        self._tokens = tokens
        self._where = where
        self._at = 0

    def condition(self, depth: int) -> Any:
        if depth > _DEEPEST:
            self._expected(f"no more than {_DEEPEST} brackets inside each other")
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else {"any": parts}

    def end(self) -> None:
        if self._next.kind != "end":
            self._expected("and, or, or the end")

    def _both(self, depth: int) -> Any:
        parts = [self._negated(depth)]
        while self._take("and"):
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else {"all": parts}

    def _negated(self, depth: int) -> Any:
        if self._take("not"):
            if depth > _DEEPEST:
                self._expected("fewer negations")
            return {"not": self._negated(depth + 1)}
        if self._take("("):
            inner = self.condition(depth + 1)
            self._must(")")
            return inner
        return self._part()

    def _part(self) -> Any:
        if self._take("did"):
            return self._did()
        if self._take("profile"):
            return {"profile": self._column(), **self._compared()}
        if self._take("in"):
            self._must("cohort")
            return {"in_cohort": self._one_of("text", "word", what="the name of a cohort")}
        self._expected("did, profile, in cohort, not or (")

    def _did(self) -> dict[str, Any]:
        found: dict[str, Any] = {"did": self._one_of("text", what="the name of an event between marks")}
        if self._take("where"):
            found["where"] = self._one_of("sql", what="a condition in brackets")[1:-1].strip()
        if self._take("with"):
            aggregate = self._one_of("word", what="sum, avg, min, max or distinct")
            if aggregate not in _AGGREGATES:
                self._expected("sum, avg, min, max or distinct", back=1)
            self._must("(")
            found["measure"] = {aggregate: self._column()}
            self._must(")")
        return {**found, **self._bound(), **self._time()}

    def _bound(self) -> dict[str, Any]:
        name = "exactly" if self._take("exactly") else None
        for words, bound in _BOUNDS.items():
            if tuple(token.text.lower() for token in self._tokens[self._at : self._at + 2]) == words:
                self._at += 2
                name = bound
        if name is None:
            return {}
        number = self._one_of("number", what="a number")
        self._take("times")
        return {name: number}

    def _time(self) -> dict[str, Any]:
        if self._next.text == "in" and self._tokens[self._at + 1].kind == "duration":
            self._at += 2
            return {"within": self._tokens[self._at - 1].text}
        found = {}
        for word in ("from", "to"):
            if self._take(word):
                found[word] = self._one_of("day", what="a day, as 2026-03-01")
        return found

    def _column(self) -> Any:
        return self._one_of("word", what="the name of a column")

    def _compared(self) -> dict[str, Any]:
        if self._take("is"):
            self._must("set")
            return {"is": "is set"}
        if self._take("in"):
            self._must("(")
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            self._must(")")
            return {"is": "in", "value": values}
        for operator in ("=", "!=", "<=", ">=", "<", ">", "contains"):
            if self._take(operator):
                return {"is": operator, "value": self._value()}
        self._expected("= != < <= > >=, in, contains or is set")

    def _value(self) -> Any:
        if self._take("true"):
            return True
        if self._take("false"):
            return False
        return self._one_of("text", "number", "day", what="a number, true, false, or a text between marks")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        """Go on over a word or mark, whatever its case, if it is the next one."""
        taken = self._next.kind in ("word", "mark") and self._next.text.lower() == text
        self._at += taken
        return taken

    def _must(self, text: str) -> None:
        if not self._take(text):
            self._expected(text)

    def _one_of(self, *kinds: str, what: str) -> Any:
        token = self._next
        if token.kind not in kinds:
            self._expected(what)
        self._at += 1
        if token.kind == "text":
            mark = token.text[0]
            return token.text[1:-1].replace(mark * 2, mark)
        if token.kind == "number":
            return float(token.text) if "." in token.text else int(token.text)
        return token.text

    def _expected(self, what: str, back: int = 0) -> NoReturn:
        raise ConfigError(f"{self._where}: character {self._tokens[self._at - back].at}: expected {what}")
