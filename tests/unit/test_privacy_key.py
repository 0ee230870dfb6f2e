"""The key that a data folder makes for itself: once, whole, and never a second one in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from s3_servers import S3Server

from connector.config import Settings, load_settings
from connector.errors import ConfigError
from connector.wiring import privacy_key


class Place:
    """A data folder whose files a test can put and remove."""

    def __init__(self, settings: Settings, put: Callable[[str, bytes], None], remove: Callable[[str], None]):
        self.settings, self.put, self.remove = settings, put, remove


def on_disk(tmp_path: Path) -> Place:
    root = tmp_path / "data"

    def put(name: str, content: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    return Place(load_settings(data=str(root)), put, lambda name: (root / name).unlink())


@pytest.fixture(params=["disk", "moto"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "disk":
        return on_disk(tmp_path)
    server: S3Server = request.getfixturevalue("moto")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    store = server.store()
    return Place(load_settings(data=store.uri), store.put, lambda name: store.delete([name]))


RECORD = {"disk": "ledger/changes/000000000001.json", "s3": "ledger/files/undated/h-1.json"}


def record(place: Place) -> str:
    return RECORD["s3" if place.settings.is_s3 else "disk"]


def test_a_new_data_folder_makes_a_key_and_keeps_it(place: Place):
    key = privacy_key(place.settings)

    assert len(key) == 64
    place.put(record(place), b"{}")
    assert privacy_key(place.settings) == key


def test_a_key_that_is_gone_is_not_made_anew_once_events_are_written(place: Place):
    key = privacy_key(place.settings)
    place.remove("privacy.key")
    assert privacy_key(place.settings) != key
    place.remove("privacy.key")
    place.put(record(place), b"{}")

    with pytest.raises(
        ConfigError, match=r"privacy\.key is gone although events are written; put the file back"
    ):
        privacy_key(place.settings)

    place.put("privacy.key", key + b"\n")
    assert privacy_key(place.settings) == key


@pytest.mark.parametrize("content", [b"", b"\n", b"abc", b"0" * 31 + b"\n"])
def test_a_key_that_is_not_whole_is_refused(place: Place, content: bytes):
    place.put("privacy.key", content)

    with pytest.raises(
        ConfigError, match=r"privacy\.key has \d+ bytes, less than 32; put the whole file back"
    ):
        privacy_key(place.settings)
