"""Control groups: who is not sent anything, and the exposures that an experiment is read from. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from connector.cohorts.catalogue import moment_text
from connector.errors import ConfigError
from connector.saved import slug_of

CONTROL, TREATMENT = "control", "treatment"
EVENT = "Experiment Viewed"
_DEVICE = "$device:"
_WHOLE = 1 << 64


class Holdout(NamedTuple):
    """A share of people who take part in an experiment and are sent nothing."""

    experiment: str
    """Its name."""
    share: float
    """Above 0, below 1."""

    @property
    def experiment_id(self) -> str:
        return slug_of(self.experiment)

    def arm(self, uid: str) -> str:
        """``control`` or ``treatment``, the same for the same experiment and person, for good.

        The first 8 bytes of SHA-256 of experiment, newline, uid, as a number from 0 to 1, decide: below the
        share is control. Who is control at 10 % is control at 20 %.
        """
        digest = sha256(f"{self.experiment}\n{uid}".encode("utf-8", "surrogatepass")).digest()
        return CONTROL if int.from_bytes(digest[:8], "big") < self.share * _WHOLE else TREATMENT

    def split(self, people: Iterable[str]) -> tuple[list[str], list[str]]:
        """Control and treatment."""
        arms: dict[str, list[str]] = {CONTROL: [], TREATMENT: []}
        for uid in people:
            arms[self.arm(uid)].append(uid)
        return arms[CONTROL], arms[TREATMENT]


def share_of(text: str, where: str = "--holdout") -> float:
    """``20%`` or ``0.2`` -> 0.2. Raises ``ConfigError``: it is no share between 0 and 1."""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise ConfigError(f"{where}: a share above 0 and below all, as 20%")
    return share


def exposures(holdout: Holdout, people: Collection[str], cohort_id: str, at: datetime) -> bytes:
    """
    Segment's messages that say who was given which variation, NDJSON, by uid.

    The ids of the messages depend on experiment and person alone, so whatever is written twice counts once.

    Args:
        at: when the people were assigned; behaviour counts from then.
    """
    return b"".join(
        orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
        for message in _messages(holdout, sorted(people), cohort_id, moment_text(at))
    )


def _messages(holdout: Holdout, people: list[str], cohort_id: str, at: str) -> Iterator[dict[str, Any]]:
    experiment_id = holdout.experiment_id
    for uid in people:
        arm = holdout.arm(uid)
        key = sha256(f"{EVENT}\n{holdout.experiment}\n{uid}".encode("utf-8", "surrogatepass")).hexdigest()
        yield {
            "type": "track",
            "event": EVENT,
            "messageId": f"connector-{key[:32]}",
            **person_of(uid),
            "timestamp": at,
            "originalTimestamp": at,
            "sentAt": at,
            "receivedAt": at,
            "properties": {
                "experiment_id": experiment_id,
                "experiment_name": holdout.experiment,
                "variation_id": arm,
                "variation_name": arm,
                "cohort_id": cohort_id,
            },
            "context": {"library": {"name": "connector"}},
        }


def person_of(uid: str) -> dict[str, str]:
    """The id that leads to the same person again: ``userId``, or ``anonymousId`` of a device."""
    if uid.startswith(_DEVICE):
        return {"anonymousId": uid.removeprefix(_DEVICE)}
    return {"userId": uid}
