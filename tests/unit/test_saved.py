"""What people keep beside the data: versions that are never overwritten, on disk and in a store."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from object_stores import MemoryStore

from connector.errors import Busy, ConfigError
from connector.report.kinds.categories import Asked
from connector.saved import (
    Annotations,
    Conflict,
    Documents,
    Files,
    FolderFiles,
    Lease,
    LeaseLost,
    SavedReports,
    slug_of,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["folder", "memory", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "bucket":
        return request.getfixturevalue("moto").store()
    return FolderFiles(tmp_path / "data") if request.param == "folder" else MemoryStore()


class TestFiles:
    def test_a_name_is_given_once(self, files: Files):
        assert files.create("saved/a/1.json", b"first")
        assert not files.create("saved/a/1.json", b"second")

        assert files.read("saved/a/1.json") == b"first"
        assert files.read("saved/a/2.json") is None

    def test_names_are_found_by_how_they_begin_sorted(self, files: Files):
        for name in ("saved/b/2.json", "saved/a/1.json", "saved/ab/1.json", "tables/x"):
            files.create(name, b"")

        assert [info.name for info in files.find("saved/a")] == ["saved/a/1.json", "saved/ab/1.json"]
        assert [info.name for info in files.find("saved/c/")] == []

    def test_what_is_deleted_is_gone_and_may_be_gone_already(self, files: Files):
        files.create("saved/a", b"")

        files.delete(["saved/a", "saved/never"])

        assert list(files.find("saved/")) == []

    def test_one_of_many_who_create_a_name_at_once_gets_it(self, files: Files):
        taken = []
        threads = [
            threading.Thread(target=lambda at=at: taken.append(files.create("n", bytes([at]))))
            for at in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(taken) == [False] * 7 + [True]

    def test_a_crash_leaves_no_half_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def stop(*_: object) -> None:
            raise OSError("the disk is gone")

        monkeypatch.setattr(os, "link", stop)
        with pytest.raises(OSError, match="the disk is gone"):
            FolderFiles(tmp_path).create("saved/a.json", b"whole")

        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


class TestDocuments:
    def test_a_new_version_leaves_the_old_ones(self, files: Files):
        documents = Documents(files, "saved/things", "thing")
        documents.save("a", {"colour": "red"})
        documents.save("a", {"colour": "blue"})

        assert documents.get("a").version == 2
        assert [documents.get("a", version).content["colour"] for version in (1, 2)] == ["red", "blue"]
        assert json.loads(files.read("saved/things/a/1.json") or b"") == {
            "id": "a", "version": 1, "colour": "red"
        }  # fmt: skip

    def test_after_nine_versions_comes_the_tenth(self, files: Files):
        documents = Documents(files, "saved/things", "thing")
        for number in range(11):
            documents.save("a", {"number": number})

        assert (documents.get("a").version, documents.get("a").content["number"]) == (11, 10)

    def test_what_was_deleted_is_listed_no_more_and_can_be_saved_again(self, files: Files):
        documents = Documents(files, "saved/things", "thing")
        documents.save("a", {"colour": "red"})
        documents.save("b", {"colour": "green"})
        documents.delete("a")

        assert [document.id for document in documents.newest()] == ["b"]
        with pytest.raises(ConfigError, match="thing a: there is none"):
            documents.get("a")
        assert documents.save("a", {"colour": "blue"}).version == 3

    def test_who_saves_at_the_same_moment_is_told(self):
        store = MemoryStore()

        class Slow(MemoryStore):
            """Somebody else saves between the look at the versions and the own one."""

            def create(self, name: str, content: bytes) -> bool:
                store.create(name, b'{"of": "somebody else"}')
                return store.create(name, content)

            def read(self, name: str) -> bytes | None:
                return store.read(name)

        with pytest.raises(Conflict, match="somebody saved it at this moment"):
            Documents(Slow(), "saved/things", "thing").save("a", {"colour": "red"})

    @pytest.mark.parametrize("id_", ["../a", "A", "", "a/b", "-a"])
    def test_an_id_is_a_slug_and_never_a_path(self, files: Files, id_: str):
        with pytest.raises(ConfigError, match="an id has small letters"):
            Documents(files, "saved/things", "thing").save(id_, {})

    def test_a_damaged_file_is_named(self, files: Files):
        files.create("saved/things/a/1.json", b"{half")

        with pytest.raises(ConfigError, match=r"saved/things/a/1\.json is damaged"):
            Documents(files, "saved/things", "thing").newest()


class TestSavedReports:
    def test_a_report_comes_back_as_the_question_it_was(self, files: Files):
        question = Asked.model_validate({"from": "2026-01-01", "window": "3d", "timezone": "Europe/Berlin"})

        saved = SavedReports(files).save("weekly", question, NOW, name="Every week")

        found = SavedReports(files).get("weekly")
        assert found == saved
        assert found.question() == question
        assert (found.name, found.kind, found.version, found.created) == ("Every week", "categories", 1, NOW)
        assert found.parameters == {"from": "2026-01-01", "timezone": "Europe/Berlin", "window": "3d"}

    def test_the_newest_version_counts_and_earlier_ones_can_be_had(self, files: Files):
        reports = SavedReports(files)
        reports.save("weekly", Asked(window=1), NOW)
        reports.save("weekly", Asked(window=2), LATER)
        reports.save("daily", Asked(), NOW)

        assert [(each.id, each.version) for each in reports.list()] == [("daily", 1), ("weekly", 2)]
        assert reports.get("weekly", 1).question() == Asked(window=1)

    def test_a_parameter_that_does_not_fit_is_named_without_its_value(self, files: Files):
        files.create(
            "saved/reports/odd/1.json",
            b'{"id": "odd", "version": 1, "name": "odd", "kind": "categories", '
            b'"created": "2026-03-01T12:00:00Z", "parameters": {"window": "hunter2"}}',
        )

        with pytest.raises(ConfigError, match="saved report odd: window: a duration is a number") as refused:
            SavedReports(files).get("odd").question()
        assert "hunter2" not in str(refused.value)

    def test_a_file_that_is_no_report_is_named(self, files: Files):
        files.create("saved/reports/odd/1.json", b'{"kind": 7}')

        with pytest.raises(ConfigError, match=r"saved/reports/odd/1\.json: is no saved report"):
            SavedReports(files).list()

    def test_a_deleted_report_is_gone(self, files: Files):
        SavedReports(files).save("weekly", Asked(), NOW)
        SavedReports(files).delete("weekly")

        assert SavedReports(files).list() == []
        with pytest.raises(ConfigError, match="saved report weekly"):
            SavedReports(files).delete("weekly")


class TestAnnotations:
    def test_those_in_a_range_are_found_in_order_of_time(self, files: Files):
        annotations = Annotations(files)
        annotations.add(LATER, "Promotion ends", NOW, ["promotion"])
        annotations.add(NOW, "Promotion starts", NOW, ["promotion", "mail"])

        assert [each.text for each in annotations.list()] == ["Promotion starts", "Promotion ends"]
        assert [each.text for each in annotations.list(NOW, LATER)] == ["Promotion starts"]
        assert [each.text for each in annotations.list(tag="mail")] == ["Promotion starts"]
        assert annotations.list(LATER, LATER) == []

    def test_two_with_one_text_and_day_are_two(self, files: Files):
        annotations = Annotations(files)
        ids = [annotations.add(NOW, "Sale!", NOW).id for _ in range(3)]

        assert ids == ["2026-03-01-sale", "2026-03-01-sale-2", "2026-03-01-sale-3"]

    def test_one_that_was_removed_is_gone(self, files: Files):
        annotations = Annotations(files)
        annotations.remove(annotations.add(NOW, "Sale", NOW).id)

        assert annotations.list() == []
        with pytest.raises(ConfigError, match="annotation 2026-03-01-sale"):
            annotations.remove("2026-03-01-sale")


class TestLease:
    def test_while_one_has_it_another_is_told_who(self, files: Files):
        with (
            Lease(files, "saved/x", "x is being sent").held(),
            pytest.raises(Busy, match=rf"x is being sent by process {os.getpid()} on "),
            Lease(files, "saved/x", "x is being sent").held(),
        ):
            pass

    def test_afterwards_the_next_one_has_it_at_once(self, files: Files):
        for _ in range(30):
            with Lease(files, "saved/x", "x").held() as lease:
                lease.keep()

        assert len(list(files.find("saved/x/lease-"))) <= 22, "old files go"

    def test_of_a_process_that_is_gone_it_is_free(self, files: Files):
        ended = os.spawnlp(os.P_NOWAIT, "true", "true")
        os.waitpid(ended, 0)
        lease = Lease(files, "saved/x", "x")
        holder = json.loads(lease._content(1, files.clock_ms() + 600_000))
        files.create("saved/x/lease-00000001.json", json.dumps({**holder, "pid": ended}).encode())

        with lease.held():
            pass

    def test_of_another_machine_it_is_free_when_its_time_is_over(self):
        store = MemoryStore()
        lease = Lease(store, "saved/x", "x")
        holder = {**json.loads(lease._content(1, store.now_ms + 600_000)), "host": "elsewhere"}
        store.create("saved/x/lease-00000001.json", json.dumps(holder).encode())

        with pytest.raises(Busy, match="elsewhere"), lease.held():
            pass
        store.now_ms += 600_001
        with lease.held():
            pass

    def test_who_was_too_slow_must_stop(self):
        store = MemoryStore()
        with Lease(store, "saved/x", "x").held() as slow:
            store.now_ms += 600_001
            with Lease(store, "saved/x", "x").held(), pytest.raises(LeaseLost, match="too slow"):
                slow.keep()

    def test_it_lasts_as_long_as_it_is_kept(self):
        store = MemoryStore()
        with Lease(store, "saved/x", "x").held() as lease:
            for _ in range(10):
                store.now_ms += 400_000
                lease.keep()
                with pytest.raises(Busy), Lease(store, "saved/x", "x").held():
                    pass


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Home Supplies, June!", "home-supplies-june"),
        ("Größe  XL", "groe-xl"),
        ("a" * 99, "a" * 64),
    ],
)
def test_a_slug_is_made_of_what_is_plain_in_a_name(name: str, slug: str):
    assert slug_of(name) == slug


def test_a_name_without_anything_plain_has_no_slug():
    with pytest.raises(ConfigError, match="letters a to z or digits"):
        slug_of("靴")
