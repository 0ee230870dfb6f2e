"""Documents with Mixpanel's actions: from an event as it was captured to the records Mixpanel would be sent.

Nothing of an event is filled in or renamed, as it is for the lake: Segment's destination sees what Segment
delivers. Only traffic straight from an SDK is given the type and the times that Segment would have given it.
"""

from __future__ import annotations

from connector.actions.call import Refusal
from connector.actions.clock import on_arrival
from connector.actions.document import raise_faults, read_mixpanel_document
from connector.actions.prepare import CALL_TYPES, prepare
from connector.actions.reading import is_missing
from connector.errors import MappingError
from connector.events import TRACKING_ROUTES, Captured, Json, Outcome, Rejected, Row
from connector.mixpanel import MixpanelDestination, Record
from connector.tables.vocabulary import REJECTED_REASONS

_UNMATCHED = Outcome("unmatched")


class OutgoingDestination:
    """A Mixpanel document, compiled. Also a pipeline: captured event to outcome."""

    def __init__(self, document: Json) -> None:
        """
        Raises:
            MappingError: every fault of the document, each with its path.
        """
        settings, subscriptions, faults = read_mixpanel_document(document)
        try:
            self._destination = MixpanelDestination(settings, subscriptions)
        except MappingError as error:
            faults.extend(error.faults)
        raise_faults(faults)

    @property
    def refusal(self) -> str | None:
        """Why Segment refuses every event under the document's settings; None: it does not."""
        return self._destination.settings.refusal

    def rows(
        self, event: Json, *, route: str = "file", received_at_ms: int | None = None
    ) -> list[Record] | None:
        """The records of one event; None when no subscription matches.

        Raises:
            Refusal: ``not_an_object``, or ``mapping_failed`` with Segment's words.
        """
        if type(event) is not dict:
            raise Refusal("not_an_object", "the record is JSON but no object")

        def key() -> str:
            return prepare(event, source="", route=route, received_at_ms=received_at_ms).key

        try:
            return self._destination.rows(
                _delivered(event, route, received_at_ms), received_at_ms=received_at_ms, key=key
            )
        except MappingError as error:
            raise Refusal("mapping_failed", str(error)) from None

    def __call__(self, captured: Captured) -> Outcome:
        """The event's fate under this document. Never raises: a defect of ours is ``row_failed``."""
        if captured.error is not None:
            said = f"{REJECTED_REASONS[captured.error]} ({captured.place})"
            return _rejected(captured.error, said)
        try:
            records = self.rows(captured.event, route=captured.route, received_at_ms=captured.received_at_ms)
        except Refusal as refusal:
            return _rejected(refusal.code, str(refusal))
        except MemoryError:
            raise
        except Exception as defect:
            said = f"the record could not be built ({type(defect).__name__}): please report this"
            return _rejected("row_failed", said)
        return _UNMATCHED if records is None else Outcome("stored", [Row(*record) for record in records])


def _rejected(code: str, message: str) -> Outcome:
    return Outcome("rejected", rejected=Rejected(code, message))


def _delivered(event: dict[str, Json], route: str, received_at_ms: int | None) -> dict[str, Json]:
    """The event as Segment hands it to a destination."""
    if route not in TRACKING_ROUTES or received_at_ms is None:
        return event
    delivered, _ = on_arrival(event, received_at_ms, [])
    if route in CALL_TYPES and is_missing(event.get("type")):
        delivered["type"] = route
    return delivered
