"""What people of a cohort do without being sent anything, as far as a report knows."""

from __future__ import annotations

from datetime import datetime

from connector.cohorts.definition import Definition
from connector.report.asking import Asking
from connector.report.desks.desk import Desk
from connector.report.kinds import kind_of
from connector.report.kinds.categories import Asked


def baseline_of(definition: Definition, desk: Desk, now: datetime) -> tuple[float, str] | None:
    """
    The conversion of the category that the people dropped out of, and where it comes from; None: not known.

    People who dropped once are less likely to buy than all who look, so the true baseline is lower and the
    smallest lift that shows is greater: it is a first figure, and ``--baseline`` a better one.
    """
    report = definition.report
    category = report.parameters.get("category") if report else None
    if report is None or report.kind != "dropped" or category is None:
        return None
    shared = {field.alias or name for name, field in Asked.model_fields.items()}
    parameters = {key: value for key, value in report.parameters.items() if key in shared}
    answer = kind_of("categories").answer(Asking(Asked.model_validate(parameters), desk, now))
    rates = [row["conversion"] for row in answer.rows if row["category"] == category]
    return (rates[0], f"the category {category}") if rates and rates[0] is not None else None
