"""What lies prepared may be damaged, foreign, gone, or not to be written: the answer is the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.mounts import read_only
from object_stores import MemoryStore, Watched
from unit.prepared.small_lakes import SmallLake, found_in
from unit.prepared.test_prepared_copies import FRIDAY, SATURDAY, SPRING, row

from connector.errors import StoreError
from connector.lake.faults import LakeUnreadable
from connector.lake.open import open_lake
from connector.prepared import discard, resolve
from connector.prepared.manifest import PreparedFile
from connector.prepared.shelf import FolderShelf
from connector.write.data import StoreData


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    """Three days with copies far apart and two owners of one device; resolved and saved."""
    made = SmallLake(tmp_path / "data")
    made.add("events", FRIDAY, [row(1, anonymous_id="laptop", user_id="ada"), row(2)])
    made.add("profiles", SATURDAY, [row(3, anonymous_id="laptop", user_id="bob")])
    made.add("events", SPRING, [row(1, "h-2"), row(4)])
    assert made.resolved()[0].saved
    return made


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _other(path: Path) -> None:
    path.write_bytes(b"PAR1 of somebody else PAR1")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("kind", "damage"),
    [(kind, damage) for kind in ("keys", "links", "groups", "identities") for damage in (_flip, Path.unlink)]
    + [("manifest", damage) for damage in (_cut, _flip, _other, Path.unlink, _folder)],
)
def test_what_is_damaged_counts_as_absent(lake, kind, damage: Callable[[Path], None]):
    (path,) = (lake.root / "derived/resolution").glob(f"{kind}*")
    damage(path)
    lake.add("events", FRIDAY, [row(2, "h-0"), row(5, anonymous_id="phone", user_id="ada")])

    assert lake.resolved()[1] == lake.expected()


@pytest.mark.parametrize(
    ("kind", "damage"), [("manifest", Path.unlink), ("groups", _cut), ("identities", _flip)]
)
def test_it_does_when_nothing_is_new_too(lake, kind, damage: Callable[[Path], None]):
    (path,) = (lake.root / "derived/resolution").glob(f"{kind}*")
    damage(path)

    assert lake.resolved()[1] == lake.expected()


def test_it_is_saved_anew_and_used_then(lake):
    (path,) = (lake.root / "derived/resolution").glob("identities*")
    _flip(path)

    assert lake.resolved()[0].saved
    done, _ = lake.resolved()
    assert (done.reused, done.days_read) == (True, 0)


def test_keys_of_another_hash_count_as_absent(lake, monkeypatch):
    monkeypatch.setattr("connector.prepared.resolution._made_with", lambda _: "v3.0.0 another hash")

    done, found = lake.resolved()

    assert found == lake.expected()
    assert not done.reused


def test_prepared_files_of_another_data_folder_do_not_fit(lake, tmp_path):
    other = SmallLake(tmp_path / "other")
    other.add("events", FRIDAY, [row(7, anonymous_id="laptop", user_id="zoe")])
    shutil.copytree(lake.root / "derived", other.root / "derived")

    assert other.resolved()[1] == other.expected()


def test_a_folder_that_is_read_only_is_resolved_and_not_saved(lake):
    before = _names(lake)
    lake.add("events", SPRING, [row(2, "h-3"), row(5)])

    with read_only(lake.root):
        done, found = lake.resolved()

    assert found == lake.expected()
    assert (done.saved, done.reused, done.days_read) == (False, True, 1)
    assert _names(lake) == before


def test_without_keep_nothing_is_written(lake):
    before = _names(lake)
    lake.add("events", SPRING, [row(2, "h-3"), row(5)])

    assert lake.resolved(keep=False)[1] == lake.expected()

    assert _names(lake) == before


def test_the_relations_outlast_the_prepared_files(lake):
    with lake.open() as connection:
        resolve(connection, lake.data, lake.state)
        discard(lake.data)
        assert found_in(connection) == lake.expected()
        resolve(connection, lake.data, lake.state)
        assert found_in(connection) == lake.expected(), "a second time on one connection"


def test_a_store_that_refuses_to_show_or_to_take_them_is_no_error(lake):
    def refuse() -> None:
        raise StoreError("the store refused", code="store_forbidden", retryable=False)

    for method in ("read", "upload", "put", "download"):
        store = MemoryStore()
        lake.resolved(StoreData(store))
        lake.add("events", SPRING, [row(6, f"h-{method}")])
        data = StoreData(Watched(store).at_call("before", method, 1, refuse))
        assert lake.resolved(data)[1] == lake.expected()


def test_a_reader_whose_generation_is_gone_starts_again_with_the_newer_one(lake):
    store = MemoryStore()
    lake.resolved(StoreData(store))

    def another_generation() -> None:
        discard(StoreData(store))
        lake.resolved(StoreData(store))

    data = StoreData(Watched(store).at_call("before", "download", 1, another_generation))
    done, found = lake.resolved(data)

    assert found == lake.expected()
    assert (done.reused, done.days_read) == (True, 0)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "of other columns"])
def test_a_file_that_goes_while_it_is_used_counts_as_absent(lake, monkeypatch, replaced):
    def fetch(self: FolderShelf, files: list[PreparedFile], into: Path) -> dict[str, Path]:
        paths = unharmed(self, files, into)
        for path in paths.values():
            path.unlink()
            if replaced:
                shutil.copyfile(table_file, path)
        return paths

    lake.add("events", SPRING, [row(2, "h-3"), row(5)])
    table_file, unharmed = lake.root / next(iter(lake.files)), FolderShelf.fetch
    monkeypatch.setattr(FolderShelf, "fetch", fetch)

    done, found = lake.resolved()

    assert found == lake.expected()
    assert not done.reused


def test_a_reader_whose_generations_go_again_and_again_starts_from_nothing(lake):
    store = MemoryStore()
    lake.resolved(StoreData(store))

    def another_generation() -> None:
        discard(StoreData(store))
        lake.resolved(StoreData(store))

    watched = Watched(store)
    for number in range(1, 30):
        watched.at_call("before", "download", number, another_generation)
    done, found = lake.resolved(StoreData(watched), keep=False)

    assert found == lake.expected()
    assert not done.reused


def test_views_that_show_one_source_alone_are_refused(lake):
    lake.add("events", "2027-03-02", [row(8, source="web"), row(9, source="app")])

    with (
        open_lake(lake.data, source="web", rejected=False, state=lake.state) as connection,
        pytest.raises(LakeUnreadable, match="they must show all sources"),
    ):
        resolve(connection, lake.data, lake.state)

    assert lake.resolved()[1] == lake.expected()


def test_a_table_file_that_cannot_be_read_is_an_error_of_one_line(lake):
    name = lake.add("events", "2027-03-02", [row(8)])

    with lake.open() as connection:
        (lake.root / name).write_bytes(b"no parquet")
        with pytest.raises(LakeUnreadable) as unreadable:
            resolve(connection, lake.data, lake.state)

    assert "\n" not in str(unreadable.value)


def test_the_manifest_names_no_person(lake):
    """It may be looked at by people who must not see the tables."""
    manifest = (lake.root / "derived/resolution/manifest.json").read_text()

    assert [word for word in ("laptop", "row-1", "m-1", "h-2") if word in manifest] == []


def _names(lake: SmallLake) -> set[str]:
    return {path.name for path in (lake.root / "derived").rglob("*")}
