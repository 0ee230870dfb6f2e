"""The janitor Lambda: the passes that ``connector serve`` makes beside its writer, one for each invocation.

It is scheduled, with a concurrency of 1: a second one at a time would only do work for nothing. One that is
killed in the middle of a day has changed nothing of that day; the next one begins it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from connector.aws.figures import Figures
from connector.aws.start import begin, name_invocation, settings_with_secrets
from connector.compaction import Compacted
from connector.rounds.passes import Passes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from connector.config import Settings

SERVICE = "janitor"
LEAST_MS = 120_000
"""With less time left than this no further day is begun; what replaced files and dead attempts left is still
removed, which takes at most a minute."""


class Janitor:
    """What one process has ready for all its invocations: what it knows of the ledger spares it reading."""

    def __init__(self, settings: Settings) -> None:
        self._figures = Figures(SERVICE)
        self._passes = Passes(settings, self, sweeps=True)

    def __call__(self, context: LambdaContext) -> None:
        """One pass. What goes wrong in it is logged and counted, and tried again by the next."""
        try:
            self._passes.next(lambda: context.get_remaining_time_in_millis() < LEAST_MS)
        finally:
            self._figures.emit()

    def count(self, done: Compacted) -> None:
        self._figures.add("DaysCompacted", done.days)
        self._figures.add("FilesMerged", done.files_before)
        self._figures.add("DuplicatesRemoved", done.duplicates)

    def failed(self) -> None:
        self._figures.add("JanitorErrors")


@cache
def prepared() -> Janitor:
    """The janitor of this process, made once."""
    return Janitor(settings_with_secrets())


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Entry point of the Lambda: called on a schedule; what the event says means nothing.

    Raises:
        ConfigError: the settings are wrong.
    """
    name_invocation(context)
    prepared()(context)


begin(SERVICE, prepared)
