"""Where prepared files lie: whole or not at all, in a folder and in a store; who refuses loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from object_stores import MemoryStore, Watched

from connector.errors import StoreError
from connector.prepared.manifest import RETIRED_MS, Manifest
from connector.prepared.shelf import FOLDER, Before, FolderShelf, PreparedGone, Shelf, StoreShelf, discard
from connector.prepared.work import described
from connector.write.data import FolderData, StoreData

MADE_WITH = "v2.0.0 4711"


@dataclass
class Place:
    shelf: Shelf
    now_ms: int
    names: Callable[[], set[str]]
    alter: Callable[[str, bytes], object]
    discard: Callable[[], None]


@pytest.fixture(params=["folder", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    root, store = tmp_path / "data", MemoryStore()
    if request.param == "folder":
        root.mkdir()
        made = Place(
            FolderShelf(root, now_ms=lambda: made.now_ms), 0,
            lambda: {path.name for path in (root / FOLDER).glob("*")},
            lambda name, content: (root / FOLDER / name).write_bytes(content),
            lambda: discard(FolderData(root)),
        )  # fmt: skip
    else:
        made = Place(
            StoreShelf(store, now_ms=lambda: made.now_ms), 0,
            lambda: {name.rpartition("/")[2] for name in store.objects},
            lambda name, content: store.put(f"{FOLDER}/{name}", content),
            lambda: discard(StoreData(store)),
        )  # fmt: skip
    made.now_ms = store.now_ms
    return made


def new(folder: Path, number: int) -> tuple[Manifest, Path]:
    """A manifest with one file, and the file."""
    path = folder / f"groups-{number:016x}.parquet"
    path.write_bytes(f"rows of generation {number}".encode())
    return Manifest(MADE_WITH, groups=described(path)), path


def saved(place: Place, folder: Path, number: int) -> Manifest:
    manifest, path = new(folder, number)
    content = place.shelf.manifest()
    found = Manifest.decoded(content, MADE_WITH) if content else None
    assert place.shelf.save(manifest, [path], Before(content, found or Manifest()))
    return manifest


def test_what_is_saved_is_fetched_again(place, tmp_path):
    manifest = saved(place, tmp_path, 1)

    assert Manifest.decoded(place.shelf.manifest(), MADE_WITH) == manifest
    (tmp_path / "into").mkdir()
    (path,) = place.shelf.fetch(manifest.files, tmp_path / "into").values()
    assert path.read_bytes() == b"rows of generation 1"


@pytest.mark.parametrize("content", [b"rows of generation", b"rows of generation 2", b""])
def test_a_file_that_was_altered_is_gone(place, tmp_path, content):
    manifest = saved(place, tmp_path, 1)
    place.alter(manifest.groups.name, content)
    (tmp_path / "into").mkdir()

    with pytest.raises(PreparedGone, match="is not what was written"):
        place.shelf.fetch(manifest.files, tmp_path / "into")


def test_a_file_that_is_not_there_is_gone(place, tmp_path):
    manifest, _ = new(tmp_path, 1)
    (tmp_path / "into").mkdir()

    with pytest.raises(PreparedGone):
        place.shelf.fetch(manifest.files, tmp_path / "into")


def test_who_was_slower_saves_nothing(place, tmp_path):
    saved(place, tmp_path, 1)
    theirs = place.shelf.manifest()

    manifest, path = new(tmp_path, 2)
    assert not place.shelf.save(manifest, [path], Before())

    assert place.shelf.manifest() == theirs


def test_replaced_files_go_an_hour_later_with_whoever_saves_then(place, tmp_path):
    for number, hours in ((1, 0), (2, 0.5), (3, 1.25)):
        place.now_ms += round(hours * RETIRED_MS)
        saved(place, tmp_path, number)

    names = {f"groups-{number:016x}.parquet" for number in (2, 3)} | {"manifest.json"}
    assert place.names() == names


def test_nothing_is_left_once_it_is_discarded(place, tmp_path):
    place.discard()
    saved(place, tmp_path, 1)

    place.discard()

    assert place.names() == set()
    assert place.shelf.manifest() is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "derived").write_text("not a folder")
    manifest, path = new(tmp_path, 1)

    assert not FolderShelf(tmp_path).save(manifest, [path], Before())


def test_a_folder_that_takes_files_and_no_manifest_is_left_as_it_was(tmp_path):
    (tmp_path / FOLDER / "manifest.json").mkdir(parents=True)
    manifest, path = new(tmp_path, 1)

    assert not FolderShelf(tmp_path).save(manifest, [path], Before())

    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("method", ["upload", "read", "put"])
def test_a_store_that_refuses_is_no_error(tmp_path, method):
    store = MemoryStore()

    def refuse() -> None:
        raise StoreError("the store refused", code="store_forbidden", retryable=False)

    manifest, path = new(tmp_path, 1)
    watched = Watched(store).at_call("before", method, 1, refuse)

    assert not StoreShelf(watched).save(manifest, [path], Before())
    assert f"{FOLDER}/manifest.json" not in store.objects


def test_a_store_that_does_not_show_its_manifest_has_none():
    def refuse() -> None:
        raise StoreError("the store refused", code="store_forbidden", retryable=False)

    store = Watched(MemoryStore()).at_call("before", "read", 1, refuse)

    assert StoreShelf(store).manifest() is None


def test_what_cannot_be_removed_stays(tmp_path):
    store = MemoryStore()

    def refuse() -> None:
        raise StoreError("the store refused", code="store_forbidden", retryable=False)

    watched = Watched(store).at_call("before", "delete", 1, refuse)
    manifest, path = new(tmp_path, 1)

    assert StoreShelf(watched).save(manifest, [path], Before())
