"""Which rows a report counts: those of a step, or any. Pure."""

from __future__ import annotations

from sqlglot import exp

from connector.report.filters import step_of


def rows_wanted(step: str | None, place: str) -> exp.Expr:
    """
    The condition on rows.

    Args:
        step: an event, or one with a filter; None: any event.
        place: the option it comes from.

    Raises:
        ConfigError: the text is no step.
    """
    return exp.true() if step is None else step_of(step, place).condition()
