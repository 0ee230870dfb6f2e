"""Many small files of a day become few sorted ones without copies: changes of kind ``compaction``."""

from connector.compaction.compactor import Compacted, Compactor
from connector.compaction.rules import ALL, RECENT, Rules

__all__ = ["ALL", "RECENT", "Compacted", "Compactor", "Rules"]
