"""Why requests are refused, for who reads the log: one line a minute for each source and reason."""

from __future__ import annotations

import logging

from connector.errors import ConnectorError
from connector.receive.throttle import Throttle

log = logging.getLogger(__name__)


class Refusals:
    """Counts refusals between two lines. They tell configured slugs, codes and our own words, no more."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def note(self, source: str, trouble: ConnectorError) -> None:
        """
        Write a line, or count this one for the next line of its kind.

        Args:
            source: a configured source's slug, or ``unknown``: what stood in the path could be anybody's id.
        """
        untold = self._throttle.untold(source, trouble.code)
        if untold is None:
            return
        log.warning(
            "source %s: request refused with %d %s (%s)%s",
            source,
            trouble.status,
            trouble.code,
            trouble.message,
            f"; {untold} more since the last such line" if untold else "",
        )
