"""The ways in that the contract is held against, and what they are configured with."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
from aws_account import Account
from aws_events import CONTEXT, url_event
from flask.testing import FlaskClient
from system.processes import wait_until
from system.service import Service

from connector.aws.figures import Figures
from connector.aws.invocations import Receiver as LambdaReceiver
from connector.aws.secrets import Secrets
from connector.errors import CannotKeep
from connector.events import Capture, SourceKeys
from connector.journal.firehose import FirehoseJournal
from connector.journal.frames import Frame, FrameScan
from connector.journal.stream import DeliveryStream
from connector.journal.writer import ROLL_REQUEST
from connector.receive.bodies import Limits
from connector.receive.http import create_app
from connector.receive.metrics import Metrics
from connector.receive.sources import Sources
from connector.s3.config import S3Config, S3Place
from connector.s3.store import S3Store

NOW_MS = 1_795_297_924_123
MAX_BODY_BYTES = 60_000
SPOOL_BYTES = 20_000
PUBLIC_BODY_BYTES = 30_000
SOURCES = (
    SourceKeys("web", secrets=(b"new secret", b"old secret")),
    SourceKeys("till", secrets=(b"till",), second_header="x-lake-key", second_values=(b"lake key",)),
    SourceKeys("open", unsigned=True),
    SourceKeys("center", api_keys=(b"new api key", b"old api key")),
    SourceKeys("app", write_keys=(b"app-write-key",)),
    SourceKeys("shop", secrets=(b"shop",), write_keys=(b"shop-write-key", b"older-write-key")),
    SourceKeys("calm", write_keys=(b"calm-write-key",), events_per_second=1.0),
    SourceKeys("unset", missing=("UNSET_SECRET",)),
)
"""What every receiver under test is configured with."""


def as_configured(sources: Sequence[SourceKeys]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The same sources as entries of a configuration, and the variables that hold their secrets."""
    environment: dict[str, str] = {}

    def references(name: str, values: Sequence[bytes]) -> list[str]:
        names = [f"{name}_{at}" for at in range(len(values))]
        environment.update(zip(names, map(bytes.decode, values), strict=True))
        return [f"env:{each}" for each in names]

    entries: dict[str, dict[str, Any]] = {}
    for source in sources:
        entries[source.name] = {
            "secrets": references(f"{source.name}_secret", source.secrets)
            + [f"env:{name}" for name in source.missing],
            "api_keys": references(f"{source.name}_api_key", source.api_keys),
            "write_keys": references(f"{source.name}_write_key", source.write_keys),
            "unsigned": source.unsigned,
            "events_per_second": source.events_per_second,
        }
        if source.second_header:
            values = references(f"{source.name}_header", source.second_values)
            entries[source.name]["second_header"] = {"name": source.second_header, "values": values}
    return entries, environment


class Answer(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Kept(NamedTuple):
    """What a receiver kept of one request, as the reader of its journal would tell."""

    source: str
    body: bytes
    proven: str
    key: int | None
    route: str = "webhook"


class Receiver(Protocol):
    """A way in. Another receiver joins the suite by offering these and adding itself to ``RECEIVERS``."""

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer: ...

    def send_chunked(
        self, path: str, pieces: Sequence[bytes], headers: Mapping[str, str] | None = None
    ) -> Answer: ...

    def kept(self) -> list[Kept]: ...

    def refused(self) -> list[Kept]: ...

    def break_journal(self) -> None:
        """From now on nothing can be kept."""

    def close(self) -> None:
        """Nothing of this receiver is left, and no damage."""


@dataclass
class _MemoryJournal:
    kept: list[Kept] = field(default_factory=list)
    refused: list[Kept] = field(default_factory=list)
    broken: bool = False

    def append(self, capture: Capture) -> None:
        self.kept.append(self._copy(capture))

    def keep_refused(self, capture: Capture) -> bool:
        self.refused.append(self._copy(capture))
        return True

    def not_ready(self) -> str | None:
        return "the disk is gone" if self.broken else None

    def close(self) -> None:
        pass

    def _copy(self, capture: Capture) -> Kept:
        if self.broken:
            raise CannotKeep("the disk is gone", retry_after_seconds=5)
        return Kept(capture.source, bytes(capture.body), capture.proven, capture.key, capture.route)


class _Pieces:
    """A server's input that hands on one decoded chunk after the other."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)

    def read(self, size: int = -1, /) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if 0 <= size < len(piece):
            self._pieces.insert(0, piece[size:])
            piece = piece[:size]
        return piece


class InProcess:
    """The Flask app, called without a socket."""

    def __init__(self) -> None:
        self._journal = _MemoryJournal()
        app = create_app(
            self._journal,
            Sources(SOURCES),
            limits=Limits(
                max_body_bytes=MAX_BODY_BYTES, spool_bytes=SPOOL_BYTES, public_body_bytes=PUBLIC_BODY_BYTES
            ),
            metrics=Metrics(),
            clock_ms=lambda: NOW_MS,
        )
        self._client: FlaskClient = app.test_client()

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._answer(self._client.open(path, method=method, data=body, headers=dict(headers or {})))

    def send_chunked(
        self, path: str, pieces: Sequence[bytes], headers: Mapping[str, str] | None = None
    ) -> Answer:
        environ = {
            "wsgi.input": _Pieces(pieces),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        return self._answer(self._client.post(path, headers=dict(headers or {}), environ_overrides=environ))

    def kept(self) -> list[Kept]:
        return self._journal.kept

    def refused(self) -> list[Kept]:
        return self._journal.refused

    def break_journal(self) -> None:
        self._journal.broken = True

    def close(self) -> None:
        pass

    def _answer(self, response: Any) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.data)


class Invoked:
    """The Lambda, called with the events of a Function URL; what it keeps lies in an account on AWS."""

    def __init__(self, account: Account, clients: Mapping[str, Any], patch: pytest.MonkeyPatch) -> None:
        self._account = account
        entries, environment = as_configured(SOURCES)
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = account.settings(
            sources=entries,
            workers=1,
            max_body_bytes=MAX_BODY_BYTES,
            spool_bytes=SPOOL_BYTES,
            public_body_bytes=PUBLIC_BODY_BYTES,
        )
        config = S3Config(endpoint=account.proxy.endpoint, attempts=1)
        journal = FirehoseJournal(
            DeliveryStream(clients["firehose"], account.stream),
            S3Store(clients["s3"], S3Place(account.bucket, f"{account.root}/journal/"), config),
            S3Store(clients["s3"], S3Place(account.bucket, f"{account.root}/refused/"), config),
            record_bytes=SPOOL_BYTES,
        )
        self._receiver = LambdaReceiver(settings, journal, Secrets(()), Figures("receiver"))

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        answer = self._receiver.answer(url_event(method, path, body, headers), CONTEXT)
        text = answer["body"]
        return Answer(
            answer["statusCode"],
            answer["headers"],
            base64.b64decode(text) if answer["isBase64Encoded"] else text.encode(),
        )

    def send_chunked(
        self, path: str, pieces: Sequence[bytes], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """What was sent in chunks comes whole."""
        return self.send("POST", path, b"".join(pieces), {**(headers or {}), "Transfer-Encoding": "chunked"})

    def kept(self) -> list[Kept]:
        return self._frames("journal/")

    def refused(self) -> list[Kept]:
        return self._frames("refused/")

    def break_journal(self) -> None:
        self._account.refuse(503, "ServiceUnavailableException")

    def close(self) -> None:
        pass

    def _frames(self, prefix: str) -> list[Kept]:
        return [
            Kept(
                each.header["source"],
                each.body,
                each.header["proven"],
                each.header.get("key"),
                each.header["route"],
            )
            for each in self._account.frames(prefix)
        ]


class Served:
    """The running service, over a socket. One serves the whole module; each test sees what it kept for it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._before = self._frames(""), self._frames("refused")

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return Answer(*self._service.send(body, headers, path=path, method=method))

    def send_chunked(
        self, path: str, pieces: Sequence[bytes], headers: Mapping[str, str] | None = None
    ) -> Answer:
        with self._service.connection() as connection:
            connection.request("POST", path, iter(pieces), dict(headers or {}), encode_chunked=True)
            response = connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, given, response.read())

    def kept(self) -> list[Kept]:
        return self._frames("")[len(self._before[0]) :]

    def refused(self) -> list[Kept]:
        return self._frames("refused")[len(self._before[1]) :]

    def break_journal(self) -> None:
        """Close the files that are open, then leave no folder where a new one could be made."""
        (self._service.journal / ROLL_REQUEST).touch()
        for folder in self._open_folders():
            wait_until("the open files are closed", lambda folder=folder: not any(folder.glob("*")))
            folder.rename(self._away(folder))
            folder.touch()

    def close(self) -> None:
        for folder in self._open_folders():
            if folder.is_file():
                folder.unlink()
                self._away(folder).rename(folder)
        wait_until("the journal can be written again", self._service.ready)

    def _open_folders(self) -> list[Path]:
        folders = [self._service.journal / "open", self._service.journal / "refused/open"]
        return [folder for folder in folders if folder.exists()]

    def _away(self, folder: Path) -> Path:
        return folder.with_name("open-away")

    def _frames(self, lane: str) -> list[Kept]:
        """Every frame that is not written to the tables yet, in the order of arrival."""
        found = []
        for path in (self._service.journal / lane).glob("*/*"):
            if path.parent.name in ("open", "closed") and path.is_file():
                text = path.read_bytes()
                scan = FrameScan(text, path.name.removesuffix(".open"))
                found += [(path.stem, each, text) for each in scan if isinstance(each, Frame)]
        found.sort(key=lambda each: (each[0][:19], each[1].header["seq"]))
        return [
            Kept(
                frame.header["source"],
                text[frame.body_start : frame.body_end],
                frame.header["proven"],
                frame.header.get("key"),
                frame.header["route"],
            )
            for _, frame, text in found
        ]
