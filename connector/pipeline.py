"""The whole path of one event, as one expression: decoded, named, checked, mapped. Pure."""

from __future__ import annotations

from connector.actions.call import Refusal
from connector.actions.destination import Destinations
from connector.actions.prepare import prepare
from connector.events import Captured, Json, Outcome, Rejected
from connector.tables.vocabulary import REJECTED_REASONS
from connector.validate import Schemas

_UNMATCHED = Outcome("unmatched")


class Pipeline:
    """Captured event to outcome. Made once per configuration; holds no state between events."""

    def __init__(self, destinations: Destinations, schemas: Schemas, mapping: str) -> None:
        """
        Args:
            mapping: label that rows carry, ``<name>@<first 8 hex of the hash of mapping and schemas>``.
        """
        self._destination_of = destinations.of
        self._schemas = schemas
        self._mapping = mapping

    def __call__(self, captured: Captured) -> Outcome:
        """The event's fate under this mapping. Never raises: a defect of ours is ``row_failed``."""
        try:
            return self._outcome(captured)
        except Refusal as refusal:
            return Outcome("rejected", rejected=_rejected(captured.event, refusal.code, str(refusal)))
        except MemoryError:
            raise
        except Exception as defect:
            message = f"the row could not be built ({type(defect).__name__}): please report this"
            return Outcome("rejected", rejected=_rejected(captured.event, "row_failed", message))

    def _outcome(self, captured: Captured) -> Outcome:
        if captured.error is not None:
            raise Refusal(captured.error, f"{REJECTED_REASONS[captured.error]} ({captured.place})")
        destination = self._destination_of(captured.source)
        call = prepare(
            captured.event,
            source=captured.source,
            route=captured.route,
            proven=captured.proven,
            received_at_ms=captured.received_at_ms,
            repaired=captured.repaired,
            mapping=self._mapping,
            names=destination.names,
        )
        name = call.event["event"] if call.type == "track" else None
        checked = self._schemas.check(call.event, name, call.type)
        if checked.rejects:
            found = ", ".join(f"{each.path or '/'} ({each.rule})" for each in checked.violations[:3])
            rejected = _rejected(captured.event, "schema_violation", f"a schema rejects it: {found}")
            return Outcome("rejected", rejected=rejected._replace(violations=checked.violations))
        if checked.violations:
            call = call._replace(violations=checked.violations)
        rows = destination.rows(call)
        return _UNMATCHED if rows is None else Outcome("stored", rows)


def _rejected(event: Json, code: str, message: str) -> Rejected:
    """What of the event is said beside its bytes: texts only, as sent."""
    if type(event) is not dict:
        return Rejected(code, message)
    said = (event.get(key) for key in ("type", "event", "messageId"))
    kind, name, message_id = (value if type(value) is str else None for value in said)
    return Rejected(code, message, type=kind, event=name, message_id=message_id)
