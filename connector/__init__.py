"""A Segment-compatible destination that puts ecommerce events into your own lake, and loses none."""

__version__ = "0.1.0"
