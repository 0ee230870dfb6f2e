"""Who is in a cohort now: definitions evaluated at a desk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from connector.cohorts.catalogue import Cohorts
from connector.cohorts.compile import ROOT, When, compose, view_of
from connector.cohorts.definition import Definition, OfReport
from connector.errors import ConfigError
from connector.report.answer import plain
from connector.report.asking import Asking
from connector.report.clock import Clock
from connector.report.compose import Value
from connector.report.desks.desk import Desk
from connector.report.kinds import kind_of
from connector.report.options import checked


class Members:
    """
    The people of cohorts by name, for reports: ``Asking(question, desk, now, Members(...))``.

    ``name`` is a cohort as of ``now``, evaluated once; ``name@snapshot`` the people of a snapshot, by its
    name, its label, how its name begins, or ``latest``.
    """

    def __init__(self, cohorts: Cohorts, desk: Desk, now: datetime) -> None:
        self._cohorts = cohorts
        self._desk = desk
        self._now = now
        self._found: dict[str, Collection[str]] = {}
        self._under_way: list[str] = []

    def __call__(self, name: str) -> Collection[str]:
        """uids, sorted. Raises ``ConfigError``: there is no such cohort, or it rests on itself."""
        if name not in self._found:
            self._found[name] = self._people(name)
        return self._found[name]

    def of(self, definition: Definition, id_: str) -> list[str]:
        """The people of a definition; ``id_``: what a circle is noticed by."""
        if id_ in self._under_way:
            circle = " -> ".join([*self._under_way, id_])
            raise ConfigError(f"cohort {id_}: rests on itself: {circle}")
        self._under_way.append(id_)
        try:
            if definition.report is not None:
                return self._of_report(definition.report, id_)
            return self._of_conditions(definition)
        finally:
            self._under_way.pop()

    def _people(self, name: str) -> Collection[str]:
        plain, _, wanted = name.partition("@")
        cohort = self._cohorts.get(plain)
        if wanted:
            return list(self._cohorts.members(self._cohorts.snapshot(cohort.id, wanted)))
        return self.of(cohort.definition, cohort.id)

    def _of_conditions(self, definition: Definition) -> list[str]:
        assert definition.conditions is not None
        when = When(round(self._now.timestamp() * 1_000), definition.timezone)
        views = compose(definition.conditions, when, self._desk.given, self)
        rows = self._desk.rows(views.query(ROOT), Clock(definition.timezone))
        return sorted({row["uid"] for row in rows})

    def _of_report(self, report: OfReport, id_: str) -> list[str]:
        kind = kind_of(report.kind)
        question = checked(kind.question, report.parameters, f"cohort {id_}: report: ")
        if question.as_of is not None:
            raise ConfigError(
                f"cohort {id_}: report: as-of: a cohort is as of its use; take a snapshot instead"
            )
        asking = Asking(question, self._desk, self._now, self)
        if report.kind == "funnel":
            return of_funnel(asking, report, f"cohort {id_}: report")
        if report.step is not None or report.outcome is not None or report.segment is not None:
            raise ConfigError(f"cohort {id_}: report: step, outcome and segment are for funnels")
        if "uid" not in kind.question.COLUMNS:
            raise ConfigError(f"cohort {id_}: the report {report.kind} names no people")
        return sorted({row["uid"] for row in kind.answer(asking).rows if row["uid"]})


def of_funnel(asking: Asking, report: OfReport, where: str) -> list[str]:
    """
    The people of a step: those with a counted attempt that reached it, or that stopped just before it.

    Raises:
        ConfigError: the funnel has no such step.
    """
    from connector.report.kinds import funnel

    asked = asking.question
    assert isinstance(asked, funnel.Asked)
    last = len(asked.step)
    step = report.step or last
    converted = report.outcome == "converted"
    if step > last or (step == 1 and not converted):
        raise ConfigError(f"{where}: step: the funnel has {last} of them; nobody drops before the first")
    composition, attempts = funnel.attempts(asking, asked)
    reached: dict[str, Value] = (
        {"least": step, "most": last} if converted else {"least": step - 1, "most": step - 1}
    )
    composition.define("funnel_people", view_of("funnel_people"), reached, {"attempts_": attempts})
    rows = asking.rows(composition, "funnel_people")
    wanted = report.segment
    return sorted({row["uid"] for row in rows if wanted is None or str(plain(row["segment"])) == wanted})
