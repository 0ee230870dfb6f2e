"""Deliveries as files: what was to be sent, what was acknowledged, what is left.

``saved/cohorts/<cohort>/deliveries/<channel>/<number>/``: ``members.json`` and ``control.json``, then
``plan.json``, with which the delivery begins; ``pages/<page>-<attempt>-<status>.json``, the log;
``done.json``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from connector import json_text
from connector.cohorts.catalogue import FOLDER, moment_text
from connector.cohorts.channels.channel import Outcome
from connector.cohorts.pages import Part
from connector.errors import ConfigError
from connector.saved import Conflict, Documents, Files
from connector.saved.documents import read_json

_PAGE = re.compile(r"(?P<page>\d{5})-(?P<attempt>\d{3,})-(?P<status>ok|again|refused)\.json")
_LISTS_KEPT = 2
_LOGS_KEPT = 500
"""Deliveries behind the newest whose lists of people stay, and whose plans and logs do. Exposures stay."""


@dataclass(frozen=True)
class Session:
    """One delivery of one cohort to one channel."""

    number: int
    session: str
    """Names it for the receiver: its number and a hash."""
    mode: Literal["full", "difference"]
    as_of: datetime
    """When it was found who is in the cohort."""
    definition_version: int
    base: int | None
    """Number of the delivery that the difference is to."""
    size: int
    """People who are to be in at the receiver."""
    sha256: str
    """Of their ids."""
    added: int
    removed: int
    pages: int
    snapshot: str = ""
    experiment: str = ""
    share: float = 0.0
    """Of the control group of the experiment."""
    control: int = 0
    """People who take part and are sent nothing."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Why people were left out -> how many."""


class Sessions:
    """The deliveries of one cohort to one channel. Methods raise as ``Files`` does, and ``ConfigError``."""

    def __init__(self, files: Files, cohort_id: str, channel: str) -> None:
        self.folder = f"{FOLDER}/{cohort_id}/deliveries/{channel}"
        self._files = files
        self._cohort_id = cohort_id
        self._channel = channel
        self._states = Documents(files, f"{FOLDER}/{cohort_id}/deliveries", "state of the channel", "state-")

    def last(self) -> Session | None:
        """The newest delivery that was begun."""
        plans = [number for number, names in self._listed().items() if "plan.json" in names]
        return self.of_number(max(plans)) if plans else None

    def last_done(self) -> Session | None:
        """The newest delivery that was wholly acknowledged."""
        done = [number for number, names in self._listed().items() if {"plan.json", "done.json"} <= names]
        return self.of_number(max(done)) if done else None

    def of_number(self, number: int) -> Session:
        """Raises ``ConfigError``: there is no such delivery."""
        name = f"{self._place(number)}/plan.json"
        plan = read_json(self._files, name) or {}
        try:
            return Session(**{**plan, "as_of": datetime.fromisoformat(plan["as_of"])})
        except (KeyError, TypeError, ValueError):
            raise ConfigError(f"{self._files.uri}: {name} is no plan of a delivery") from None

    def is_done(self, session: Session) -> bool:
        return self._files.read(f"{self._place(session.number)}/done.json") is not None

    def begin(
        self, session: Session, members: Mapping[str, str], control: Sequence[str], exposures: bytes
    ) -> Session:
        """Make a delivery durable, before anything of it leaves.

        Raises:
            Conflict: somebody began one at the same moment.
        """
        place = self._place(session.number)
        self._create(f"{place}/members.json", _json(dict(members)))
        if control:
            self._create(f"{place}/control.json", _json({"control": list(control)}))
        if exposures:
            self._create(self.exposures_name(session), exposures)
        self._create(f"{place}/plan.json", _json({**asdict(session), "as_of": moment_text(session.as_of)}))
        return session

    def next_number(self) -> int:
        """One that no delivery has, not even one that was never begun."""
        return max(self._listed(), default=0) + 1

    def planned(self, session: Session) -> dict[str, str]:
        """uid -> entered at, of those who are to be in."""
        return self._read(session, "members.json")

    def delivered(self, session: Session) -> dict[str, str]:
        """The same of a delivery that is done, without those who were left out on the way."""
        left_out = frozenset(self._read(session, "done.json")["left_out"])
        return {uid: at for uid, at in self.planned(session).items() if uid not in left_out}

    def control(self, session: Session) -> list[str]:
        """Those who take part and are sent nothing."""
        return list(self._read(session, "control.json")["control"]) if session.control else []

    def exposures_name(self, session: Session) -> str:
        """The name of the file of exposures, below the data folder."""
        return f"{self._place(session.number)}/exposures.ndjson"

    def exposures(self, session: Session) -> bytes:
        """The messages that say who was given which variation; empty without an experiment."""
        return self._files.read(self.exposures_name(session)) or b""

    def acknowledged(self, session: Session) -> int:
        """How many pages, from the first on, are known to have arrived."""
        pages = {int(match["page"]) for match in self._pages(session) if match["status"] == "ok"}
        return next(number for number in range(len(pages) + 1) if number + 1 not in pages)

    def log(
        self, session: Session, part: Part, outcome: Outcome, key: str, sent: int, left_out: Sequence[str],
        now_ms: int,
    ) -> None:  # fmt: skip
        """Note what became of one try to send a page."""
        tries = sum(int(match["page"]) == part.at for match in self._pages(session))
        entry = {
            "page": part.at, "action": part.action, "sent": sent, "status": outcome.status,
            "http_status": outcome.code, "reason": outcome.reason, "attempt": tries + 1,
            "idempotency_key": key, "at_ms": now_ms, "left_out": list(left_out),
        }  # fmt: skip
        name = f"{part.at:05}-{tries + 1:03}-{outcome.status}.json"
        self._create(f"{self._place(session.number)}/pages/{name}", _json(entry))

    def entries(self, session: Session) -> list[dict[str, Any]]:
        """The log of a delivery, by page and attempt."""
        place = f"{self._place(session.number)}/pages"
        return [read_json(self._files, f"{place}/{match[0]}") or {} for match in self._pages(session)]

    def finish(self, session: Session, now_ms: int) -> None:
        """Note that every page has arrived; what older deliveries list of people goes."""
        left_out = sorted({uid for entry in self.entries(session) for uid in entry.get("left_out", ())
                           if entry["status"] == "ok"})  # fmt: skip
        self._create(
            f"{self._place(session.number)}/done.json", _json({"at_ms": now_ms, "left_out": left_out})
        )
        self._files.delete(self._old(session.number))

    def _old(self, newest: int) -> list[str]:
        """Files of deliveries so long ago that nobody asks for them."""
        lists = {"members.json", "control.json"}
        found = []
        for number, names in self._listed().items():
            if number < newest - _LOGS_KEPT:
                gone = names - {"exposures.ndjson"}
            else:
                gone = lists & names if number < newest - _LISTS_KEPT else set()
            found += [f"{self._place(number)}/{name}" for name in sorted(gone)]
        return found

    def paused(self) -> str | None:
        """Why nothing is sent until a person says so; None: it is not paused."""
        state = self._states.find(self._channel)
        return str(state.content["reason"]) if state and state.content.get("paused") else None

    def pause(self, reason: str, now: datetime) -> None:
        self._states.save(self._channel, {"paused": True, "reason": reason, "at": moment_text(now)})

    def resume(self, now: datetime) -> None:
        """Send again. Nothing happens if it is not paused."""
        if self.paused() is not None:
            self._states.save(self._channel, {"paused": False, "at": moment_text(now)})

    def _listed(self) -> dict[int, set[str]]:
        """Number of a delivery -> the files it has."""
        found: dict[int, set[str]] = {}
        for info in self._files.find(f"{self.folder}/"):
            number, _, name = info.name.removeprefix(f"{self.folder}/").partition("/")
            if number.isdigit():
                found.setdefault(int(number), set()).add(name)
        return found

    def _pages(self, session: Session) -> list[re.Match[str]]:
        place = f"{self._place(session.number)}/pages/"
        names = (info.name.removeprefix(place) for info in self._files.find(place))
        return [match for match in map(_PAGE.fullmatch, names) if match]

    def _read(self, session: Session, name: str) -> dict[str, Any]:
        found = read_json(self._files, f"{self._place(session.number)}/{name}")
        if found is None:
            raise ConfigError(f"{self._files.uri}: {self._place(session.number)}/{name} is gone")
        return found

    def _place(self, number: int) -> str:
        return f"{self.folder}/{number:06}"

    def _create(self, name: str, content: bytes) -> None:
        if not self._files.create(name, content) and self._files.read(name) != content:
            raise Conflict(
                f"cohort {self._cohort_id}: somebody delivers it to {self._channel} at this moment"
            )


def session_name(cohort_id: str, channel: str, number: int, as_of: datetime) -> str:
    """What a delivery is called at the receiver: ``000007-`` and 24 digits that no other has."""
    digest = sha256(f"{cohort_id}\n{channel}\n{number}\n{moment_text(as_of)}".encode()).hexdigest()
    return f"{number:06}-{digest[:24]}"


def skipped_of(reasons: Sequence[str]) -> dict[str, int]:
    """Why -> how many, by reason."""
    return dict(sorted(Counter(reasons).items()))


def _json(content: dict[str, Any]) -> bytes:
    return json_text.dump(content).encode()
