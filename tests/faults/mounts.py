"""File systems of a test's own: small ones, and folders that are read-only, also for root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size in ``folder``, in memory; the test is skipped where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing can be created below ``folder``: EROFS. Files that are open go on being written."""
    _mount("--bind", str(folder), str(folder))
    try:
        _mount("-o", "remount,bind,ro", str(folder))
        yield
    finally:
        _unmount(folder)


def fill(folder: Path) -> Path:
    """Leave no byte free, also when somebody has just let go of some; return the file that takes them all."""
    ballast = folder / "ballast"
    piece = b"\0" * 65536
    with ballast.open("ab", buffering=0) as file:
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]
    return ballast


def _mount(*arguments: str) -> None:
    try:
        ran = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as missing:
        pytest.skip(f"no file system can be mounted here: {missing.strerror}")
    if ran.returncode:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
