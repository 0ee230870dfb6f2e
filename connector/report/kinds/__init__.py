"""One module a kind of report: the question, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from connector.errors import ConfigError
from connector.report.answer import Answer
from connector.report.asking import Asking
from connector.report.question import Question


class Kind(NamedTuple):
    """A kind of report, loaded."""

    question: type[Question]
    answer: Callable[[Asking], Answer]


KINDS: dict[str, str] = {
    "recipe": "The whole story: which category, who looked and did not buy, what targeting them brought.",
    "categories": "Conversion from view to purchase and price, by product category.",
    "readings": "One category by other usual rules: why does this differ?",
    "funnel": "How many get from a first step to a last one, and how long it takes them.",
    "dropped": "The people who viewed a category and did not buy in it, or who did.",
    "insights": "How often, how many people, how much: any event over time and by segment.",
    "people": "Who they are, when they were first and last seen, what they bought.",
    "arpu": "Revenue, refunds and what a person brings, by period and cohort.",
    "conversion": "From view to purchase within a category, week by week and by cohort.",
    "before-after": "The same people before and after a promotion began.",
    "reconcile": "What the lines of orders add up to, against what the orders say.",
    "retention": "Who comes back after a first event, by the day, week or month of it.",
    "engagement": "How many people are active in 1, 7 and 30 days.",
    "frequency": "On how many days people come.",
    "experiment": "Variants of an experiment compared, per exposed person.",
}
"""Kind -> what it tells, in a line. The module of the same name holds ``Asked`` and ``answer``."""


def kind_of(name: str) -> Kind:
    """Load a kind. Raises ``ConfigError``: there is none of this name."""
    if name not in KINDS:
        raise ConfigError(f"report {name}: no such report; there are {', '.join(KINDS)}")
    module = import_module(f"connector.report.kinds.{name.replace('-', '_')}")
    return Kind(module.Asked, module.answer)
