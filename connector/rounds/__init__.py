"""Rounds of the writer: adopt, map what is closed, publish, retire."""

from connector.rounds.writer import Writer
from connector.rounds.written import Written

__all__ = ["Writer", "Written"]
