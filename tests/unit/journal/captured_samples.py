"""Captured files as bytes, and what reading one gives."""

from __future__ import annotations

from connector.events import Capture
from connector.journal.frames import frame_header
from connector.journal.reader import open_captured

FILE = "20261121T215204123Z-web1-4711-7f3a9c21"

VIEWED = b'{"type":"track","event":"Product Viewed","messageId":"ajs-1"}'

PAGE = b'{"type":"page","messageId":"ajs-2"}'


def frames(*captures: tuple[bytes, str]) -> bytes:
    return b"".join(
        frame_header(Capture("shop", "webhook", 1000 + seq, body, proven), FILE, seq) + body + b"\n"
        for seq, (body, proven) in enumerate(captures)
    )


def opener(folder):
    """What opens a text as a file in the folder."""

    def open_text(text, name="file", **options):
        path = folder / name
        path.write_bytes(text)
        return open_captured(path, **options)

    return open_text


def read(file):
    return [captured for part in file.parts() for captured in part]


def summary(file):
    return [(c.captured_index, c.event, c.error, c.place) for c in read(file)]
