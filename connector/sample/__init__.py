"""Genuine-looking Segment messages of a made-up shop, for demonstrations, tests and measurements."""

from connector.sample.stream import sample_events

__all__ = ["sample_events"]
