"""Remove what dead attempts left in S3, and say so; nothing depends on it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from connector.write.object_publish import ObjectPublisher
    from connector.write.publish import Publisher

log = logging.getLogger("connector.writer")


def sweep_store(publisher: Publisher | ObjectPublisher, data: str) -> bool:
    """Sweep the data folder once; one of this machine needs it not.

    Args:
        data: its address, for the log.

    Returns:
        False when something hinders it: that is logged, and the next sweep goes on.
    """
    from connector.write.object_publish import ObjectPublisher

    if not isinstance(publisher, ObjectPublisher):
        return True
    try:
        swept = publisher.sweep()
    except ConnectorError as trouble:
        log.warning("what dead attempts left in %s stays for now: %s", data, trouble)
        return False
    if swept.names:
        log.info("removed %d objects that %d dead attempts left", len(swept.names), swept.intents)
    if swept.unreadable:
        log.error("nobody can tell what %s names; it stays", swept.unreadable[0])
    return True
