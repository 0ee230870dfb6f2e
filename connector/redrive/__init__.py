"""Rejected events through the pipeline of now: what passes moves into the tables, once.

A moved event keeps its captured file and index, so its rows are those it would have had in the first place
(journal-protocol 3.2). What does not pass stays where it is, bytes and reason.
"""

from connector.redrive.redrive import Redrive
from connector.redrive.values import Redriven, Selection

__all__ = ["Redrive", "Redriven", "Selection"]
