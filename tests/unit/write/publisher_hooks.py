"""A publisher's folder whose steps can be watched and broken."""

from __future__ import annotations

from pathlib import Path

from connector.write.audit import audit
from connector.write.disk import Disk
from connector.write.folder import DataFolder

NOW_MS = 1_800_000_000_000


class Hooked(Disk):
    """The real disk, with something that happens before a step."""

    def __init__(self, **before) -> None:
        self.before = before
        self.steps: list[tuple[str, str]] = []

    def _step(self, name: str, path: Path) -> None:
        self.steps.append((name, path.name))
        if hook := self.before.get(name):
            hook(path)

    def lock(self, descriptor: int) -> bool:
        if self.before.get("lock") == "fails":
            return True
        return super().lock(descriptor)

    def write(self, path: Path, content: bytes) -> None:
        self._step("write", path)
        super().write(path, content)

    def link(self, source: Path, target: Path) -> None:
        self._step("link", target)
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename", target)
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._step("unlink", path)
        super().unlink(path)

    def sync_folder(self, path: Path) -> None:
        self._step("sync", path)
        super().sync_folder(path)


def hooked_folder(root: Path, **before) -> DataFolder:
    return DataFolder(root, disk=Hooked(**before), now_ms=lambda: NOW_MS)


def once(action):
    """A hook that acts the first time only."""
    left = [action]
    return lambda path: left.pop()() if left else None


def proven(root: Path):
    report = audit(root, journal_closed=None, now_ms=NOW_MS, deep=True, pause=lambda: None)
    assert report.findings == ()
    return report
