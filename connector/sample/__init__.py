"""Genuine-looking Segment messages of made-up shops, for demonstrations, tests and measurements."""

from connector.sample.store import store_events
from connector.sample.stream import sample_events

__all__ = ["sample_events", "store_events"]
