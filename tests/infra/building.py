"""Bundles for tests: fetched once for these versions, put together once for these sources, kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from connector.infra.bundles import Configuration, assemble, zip_folder
from connector.infra.requirements import BUNDLES, pins
from connector.infra.template import shipped
from connector.infra.wheels import Target, fetch
from connector.wiring import shipped_mapping

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("BUNDLES") or ROOT / ".bundles")
HERE = Target("x86_64", f"{sys.version_info.major}.{sys.version_info.minor}")
"""What can be run here."""
ARM = Target("arm64", HERE.python)
_DONE = "done"
_IN_USE_SECONDS = 600.0
"""Another run of the tests may still read what an older state of the sources gave."""
_QUICK = 1
"""A zip that is sent over loopback need not be small."""


def bundles(target: Target = HERE) -> Path:
    """A folder with ``receiver/``, ``writer/`` and ``janitor/``: what Lambda would unpack."""
    with _alone():
        wheels = _once(f"wheels-{target.name}", repr(pins()), lambda folder: fetch(pins(), target, folder))
        return _once(
            f"bundles-{target.name}", repr(pins()) + _sources(), lambda folder: _build(folder, wheels, target)
        )


def zips(target: Target = HERE) -> dict[str, Path]:
    """``receiver.zip`` and so on -> the file."""
    unpacked = bundles(target)
    with _alone():
        folder = _once(
            f"zips-{target.name}", unpacked.name + _sources(), lambda folder: _zip(unpacked, folder)
        )
    return {path.name: path for path in sorted(folder.glob("*.zip"))}


def _build(folder: Path, wheels: Path, target: Target) -> None:
    text = shipped("connector.yaml").read_text(encoding="utf-8")
    configuration = Configuration.of(text, None, shipped_mapping(), None)
    for name in BUNDLES:
        assemble(name, folder / name, pins=pins(), wheels=wheels, target=target, configuration=configuration)


def _zip(unpacked: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in BUNDLES:
        zip_folder(unpacked / name, folder / f"{name}.zip", level=_QUICK)


def _once(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """A folder that was made whole, of this key; those of other keys are dropped."""
    folder = FOLDER / f"{name}-{sha256(key.encode()).hexdigest()[:12]}"
    if not (folder / _DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        for old in FOLDER.glob(f"{name}-*"):
            if old.stat().st_mtime < time.time() - _IN_USE_SECONDS:
                shutil.rmtree(old)
        make(folder)
        (folder / _DONE).touch()
    return folder


def _sources() -> str:
    """A hash of all that goes into bundles besides packages."""
    package = ROOT / "connector"
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += [shipped_mapping(), shipped("connector.yaml")]
    hashed = sha256()
    for path in sorted(files):
        hashed.update(f"{path}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Test processes build one after another."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
