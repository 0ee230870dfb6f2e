"""Recorded captured files, run again under the configuration of now: what differs, and the change."""

from connector.rerun.difference import Difference, TableDifference
from connector.rerun.rerun import Rerun

__all__ = ["Difference", "Rerun", "TableDifference"]
