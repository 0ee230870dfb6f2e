"""Compare the two engines on drawn jobs; a difference comes back as small as Hypothesis can make it."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning

from tests.oracle.kinds import Kind, same
from tests.oracle.known import reason
from tests.oracle.oracle import Answer, Job, Oracle


@dataclass(frozen=True, slots=True)
class Difference:
    """One job on which the engines disagree."""

    job: Job
    expected: Answer
    got: Answer

    def __str__(self) -> str:
        return f"job      {self.job!r}\nexpected {self.expected!r}\ngot      {self.got!r}"


@dataclass(slots=True)
class Tally:
    """What a comparison has seen."""

    jobs: int = 0
    refused: int = 0
    """Jobs that Segment's engine refuses."""
    known: Counter[str] = field(default_factory=Counter)
    """Jobs that differ as ``docs/conformance.md`` says, by the reason."""


class _Disagree(AssertionError):
    def __init__(self, difference: Difference) -> None:
        super().__init__(str(difference))
        self.difference = difference


def first_difference(
    kind: Kind, oracle: Oracle, tally: Tally, *, examples: int, start: int | None = None
) -> Difference | None:
    """
    Draw examples until two answers differ.

    Args:
        kind: what is compared.
        oracle: Segment's engine.
        tally: counts every job asked; jobs asked to make a difference smaller count too.
        examples: how often jobs are drawn, each time one to four.
        start: where the dice start; None: always at the same place.

    Returns:
        The smallest difference found, None when there is none that is not known.
    """

    @settings(
        max_examples=examples,
        derandomize=start is None,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(kind.jobs)
    def compare(jobs: list[Job]) -> None:
        for job, expected in zip(jobs, oracle.ask_all(jobs), strict=True):
            _compare(kind, tally, job, kind.theirs(job, expected))

    try:
        with warnings.catch_warnings():
            # Hypothesis would describe the strategies of a failure, which is long and not asked for.
            warnings.simplefilter("ignore", HypothesisWarning)
            (compare if start is None else seed(start)(compare))()
    except _Disagree as disagreement:
        return disagreement.difference
    return None


def _compare(kind: Kind, tally: Tally, job: Job, expected: Answer) -> None:
    got = kind.ours(job)
    tally.jobs += 1
    tally.refused += "failed" in expected
    if same(expected, got):
        return
    why = reason(job, expected, got)
    if why is None:
        raise _Disagree(Difference(job, expected, got))
    tally.known[why] += 1
