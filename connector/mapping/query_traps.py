"""The traps of the subscription language: what happens, and what to write instead. Source: fql 2, 3 and 7.

``{read}`` is how the engine reads the whole query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class _Words(NamedTuple):
    text: str
    fix: str


QUERY_TRAPS: Mapping[str, _Words] = {
    "unreadable": _Words(
        "One character makes the whole text unreadable: {error}.",
        "Put values in double quotes, blanks around operators, a backslash before other signs in names.",
    ),
    "never-matches": _Words(
        "No event can match; {read}", "Call types are in lower case, and a field has one value."
    ),
    "mixed-connectives": _Words(
        "The last connective, `{part}`, rules its whole level; {read}",
        "Put what belongs together in parentheses (one level of them).",
    ),
    "connective-ignored": _Words(
        "`{name}` is not read as a connective; {read}", "Write {lower}, with a blank behind it."
    ),
    "connective-missing": _Words(
        "Nothing joins this to what stands before; {read}", "Write and or or between conditions."
    ),
    "function-not-last": _Words(
        "The function's own parenthesis closes the group, and {read}",
        "Put the function last in its parentheses.",
    ),
    "nested-group": _Words(
        "Parentheses inside parentheses cannot be read.",
        "Write the alternatives out on one level, or as two subscriptions.",
    ),
    "function-shape": _Words(
        "The signs of {name} are passed over unread; {read}", 'Write {name}(event, "text").'
    ),
    "function-unknown": _Words(
        "{name}(…) is no function here: its name is passed over.", "There are contains(…) and match(…)."
    ),
    "negation-ignored": _Words(
        "`{written}` is passed over here; {read}",
        "Only contains(…) and match(…) can be negated, by ! directly before; else write !=.",
    ),
    "root-unknown": _Words("{name} is no field that can be asked here: this condition is dropped.", "{hint}"),
    "operator-unknown": _Words(
        "`{written}` is no operator, so the condition on {field} never matches.",
        "There are {operators}, contains(…) and match(…).",
    ),
    "value-missing": _Words(
        "No value follows, so {field} is compared with the text `{value}`.",
        "Write a value in double quotes, a number, true, false or null.",
    ),
    "single-quotes": _Words(
        "Single quotes are part of the value: {value} with its quotes is looked for.", "Write double quotes."
    ),
    "event-null": _Words(
        "{field} has no test for null: it is compared with the text `null`.",
        "Restrict the type instead: only track calls have an event.",
    ),
    "not-equal-boolean": _Words(
        "`!= {value}` compares texts, so it holds for every value, {value} too.",
        "Write {field} = {opposite}.",
    ),
    "not-equal-missing": _Words(
        "`!=` also holds when {field} is missing, null, a number or a boolean.",
        "If that is not meant, add: and {field} != null.",
    ),
    "glob": _Words(
        "match knows one * at the beginning or the end and nothing else; {read}",
        "Use contains(…), or = for the whole text.",
    ),
    "ignored": _Words(
        "`{value}` is passed over; {read}", "Take it out, or write the condition that it belongs to."
    ),
}
