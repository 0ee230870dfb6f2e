"""Every earlier release's data folder is read, proven and added to by this one."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from compat.frozen import PRIVACY_KEY, PRIVACY_KEY_VARIABLE, Frozen, figures, releases, row_ids
from system.service import Lake

from connector.write.ledger import fold

pytestmark = pytest.mark.slow

MAX_BYTES = 400_000


@pytest.fixture(params=releases(), ids=lambda frozen: frozen.folder.name)
def frozen(request: pytest.FixtureRequest) -> Frozen:
    found: Frozen = request.param
    return found


def lake(folder: Path, copied: Frozen | None = None) -> Lake:
    """A data folder for this release's commands: new, or a copy of a frozen one."""
    if copied is not None:
        shutil.copytree(copied.data, folder / "data")
    key = {"privacy_key": f"env:{PRIVACY_KEY_VARIABLE}"}
    return Lake(folder, settings=key, environment={PRIVACY_KEY_VARIABLE: PRIVACY_KEY})


def replay_captured(into: Lake, frozen: Frozen) -> str:
    """Replay all that was captured; return what the command says."""
    ran = into.run("replay", str(frozen.captured), str(frozen.journal_done))
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stderr.decode()


def contents(data: Path) -> dict[str, str]:
    """Hash of every file by path; lock files, which name whoever asked last, are left out."""
    paths = [path for path in data.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(data).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths}


def test_there_is_a_frozen_folder() -> None:
    assert releases()


def test_the_audit_of_a_frozen_folder_holds(frozen: Frozen, tmp_path: Path) -> None:
    report = lake(tmp_path, frozen).audit()

    assert report["equation"] == json.loads(frozen.expected.read_bytes())["ledger"]


def test_its_views_give_the_figures_of_the_day_it_was_made(frozen: Frozen) -> None:
    assert figures(frozen.data) == json.loads(frozen.expected.read_bytes())


def test_a_replay_of_its_captured_files_gives_the_same_row_ids(frozen: Frozen, tmp_path: Path) -> None:
    fresh = lake(tmp_path)

    replay_captured(fresh, frozen)

    assert row_ids(fresh.data) == row_ids(frozen.data)
    assert fold(fresh.data).records.keys() == fold(frozen.data).records.keys()


def test_replaying_its_captured_files_into_it_writes_nothing(frozen: Frozen, tmp_path: Path) -> None:
    copy = lake(tmp_path, frozen)
    before = contents(copy.data)

    said = replay_captured(copy, frozen)

    known = len(fold(frozen.data).records)
    assert f"wrote 0 captured files, 0 events; {known} were in the ledger already" in said
    assert contents(copy.data) == before


def test_a_frozen_folder_is_small_and_names_no_place_of_the_machine_that_made_it(frozen: Frozen) -> None:
    files = [path for path in frozen.folder.rglob("*") if path.is_file()]
    seen = [path for record in fold(frozen.data).records.values() for path in record.seen_as]

    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    assert [path for path in seen if Path(path).is_absolute()] == []
    assert [path.name for path in files if path.name.startswith(".") or path.suffix == ".key"] == []
