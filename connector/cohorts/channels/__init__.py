"""Where cohorts are delivered to: one module a kind of channel."""

from connector.cohorts.channels.channel import Action, Channel, Outcome, Page, Person

__all__ = ["Action", "Channel", "Outcome", "Page", "Person"]
