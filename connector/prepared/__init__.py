"""Which rows are copies, and whose each device is: prepared once, brought up to date where files changed."""

from connector.prepared.preparer import Preparer
from connector.prepared.resolution import Resolution, resolve
from connector.prepared.shelf import discard

__all__ = ["Preparer", "Resolution", "discard", "resolve"]
