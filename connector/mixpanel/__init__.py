"""Segment's Mixpanel (Actions) destination as a function: an event becomes the records Mixpanel would get.

Nothing is sent. The six actions, their fields and their records are those of ``@segment/action-destinations``
3.497.0; where a setting of ours changes them, ``settings`` says so.
"""

from connector.mixpanel.destination import MixpanelDestination, Subscribed
from connector.mixpanel.records import Record

__all__ = ["MixpanelDestination", "Record", "Subscribed"]
