"""Commit staged files: one numbered entry, then renames, then retirement. Source: journal-protocol 3.3."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connector.errors import LedgerError
from connector.tables.layout import day_in
from connector.write.change import Change, unnumbered
from connector.write.disk import sha256_of
from connector.write.entries import Entry, LedgerConflict, Output, Record, check_counts, encode
from connector.write.folder import WAIT_SECONDS, DataFolder
from connector.write.ledger import Fold, entry_path, fold
from connector.write.sink import StagedFile

ATTEMPTS = 100
"""Times a number may be lost to another process in one call; each loss means that somebody else got on."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What taking the lock found undone."""

    finished: tuple[str, ...] = ()
    """Files of committed entries that were moved to their places."""
    missing: tuple[str, ...] = ()
    """Live files that lie neither in their place nor in a staging folder: for the audit to report."""
    dropped: tuple[str, ...] = ()
    """Staging folders of dead processes and failed rounds."""


class Publisher:
    """The one way into the tables of a local data folder.

    Args:
        folder: where to.
        retire: called with each captured file once its entry is durable and its files are in place, also when
            an earlier run committed it; must be idempotent.
        unretired: names the captured files that wait to be retired (``closed/`` of the journal); those in the
            ledger are retired whenever the lock is taken.
        wait_seconds: how long to wait for the lock.
    """

    def __init__(
        self,
        folder: DataFolder,
        *,
        retire: Callable[[str], None] | None = None,
        unretired: Callable[[], Iterable[str]] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._folder = folder
        self._retire = retire or (lambda captured_file: None)
        self._unretired = unretired or (lambda: ())
        self._wait_seconds = wait_seconds
        self._fold = Fold()
        self._settled = 0
        """Files of entries up to this number are known to be in their places."""
        self._cleaned: set[int] = set()
        """Changes whose removed files are known to be gone."""

    @property
    def fold(self) -> Fold:
        """The ledger as of the last time the lock was held; ``recover`` brings it up to date."""
        return self._fold

    def record(self, captured_file: str) -> Record | None:
        """What the ledger says of a captured file, as of the last time the lock was held."""
        return self._fold.records.get(captured_file)

    def recorded_sha256(self, captured_file: str) -> str | None:
        """The hash of the bytes that were recorded under this name, as of the last time the lock was held."""
        record = self.record(captured_file)
        return None if record is None else str(record.identity["sha256"])

    def recorded(self, captured_files: Iterable[str]) -> set[str]:
        """Those that have a record, as the entries on the disk say now. Raises ``LedgerError``."""
        return fold(self._folder.root, self._fold).records.keys() & set(captured_files)

    def knows(self, captured_file: str) -> bool:
        """Whether it has a record, as of the last time the lock was held."""
        return captured_file in self._fold.records

    def recover(self) -> Recovered:
        """Take the lock, finish what a dead process left. Raises ``Busy``, ``LedgerError``, ``OSError``."""
        with self._folder.locked(self._wait_seconds):
            return self._recover(frozenset())

    def publish(self, staged: Sequence[StagedFile]) -> int:
        """Commit captured files in one entry and make their outputs visible.

        Captured files that the ledger already has are skipped (done, whatever the configuration) and retired.
        On success the staging folders of all of ``staged`` are gone: a folder belongs to one call.

        Returns:
            How many captured files this call recorded.

        Raises:
            Busy: the lock was not to be had. Nothing happened; call again.
            LedgerError: a record whose fates do not sum up, a staged file that is gone, a damaged ledger.
            OSError: the disk refused. Call again with the same files, or map them again: the next call, of
                whatever files, first finishes what was committed and drops what was not.
        """
        stagings = frozenset(file.staging for file in staged)
        with self._folder.locked(self._wait_seconds):
            self._recover(stagings)
            with self._folder.publishing(stagings):
                committed = self._commit(staged, stagings)
                self._place(committed)
                for captured_file in dict.fromkeys(file.record.captured_file for file in staged):
                    self._retire(captured_file)
        return len(committed)

    def change(self, change: Change) -> int | None:
        """Commit a change and put what it adds in its place.

        What it removes stays for those who read it; ``remove_old`` takes it away later.

        Returns:
            Its number; None when what it was planned on is so no more: plan again. Its staging folders are
            then as they were; after success they are gone.

        Raises: as ``publish``.
        """
        stagings = frozenset(change.stagings)
        with self._folder.locked(self._wait_seconds):
            self._recover(stagings)
            if not change.fits(self._fold):
                return None
            with self._folder.publishing(stagings):
                return self._change(change, stagings)

    def _change(self, change: Change, stagings: frozenset[Path]) -> int:
        for _ in range(ATTEMPTS):
            entry = change.entry(self._fold, self._folder.now_ms())
            staged = dict(zip((output.name for output in entry.adds), change.adds, strict=True))
            moves = {name: change.staged(output.name) for name, output in staged.items()}
            self._sync_staged(moves.values())
            try:
                self._append(entry, change.stagings[0])
            except LedgerConflict:
                self._recover(stagings)
                if not change.fits(self._fold):
                    raise
            else:
                self._move(moves)
                self._fold = fold(self._folder.root, self._fold)
                return entry.number
        raise LedgerConflict(f"lost the next ledger number {ATTEMPTS} times")

    def remove_old(self, grace_ms: int) -> tuple[str, ...]:
        """Delete what changes removed more than ``grace_ms`` ago; return the names. Safe to do at any time.

        Raises ``LedgerError``, ``OSError``.
        """
        root, disk = self._folder.root, self._folder.disk
        state = fold(root, self._fold)
        ripe = self._ripe(state, self._folder.now_ms() - grace_ms)
        old = sorted(
            name for name, number in state.removed.items() if number in ripe and (root / name).exists()
        )
        for name in old:
            disk.unlink(root / name)
        self._cleaned |= ripe
        return tuple(old)

    def _ripe(self, state: Fold, before_ms: int) -> set[int]:
        """Numbers of the changes whose removed files may go, but for those that were seen to already."""
        numbers = set(state.removed.values()) - self._cleaned
        root = self._folder.root
        return {n for n in numbers if entry_path(root, n).stat().st_mtime_ns // 1_000_000 <= before_ms}

    def _commit(self, staged: Sequence[StagedFile], stagings: frozenset[Path]) -> list[StagedFile]:
        """Step 3, until a number is ours or nothing is left to record."""
        for _ in range(ATTEMPTS):
            fresh = _unrecorded(staged, self._fold)
            if not fresh:
                return []
            self._check(fresh)
            now_ms = self._folder.now_ms()
            records = tuple(replace(file.record, committed_at_ms=now_ms) for file in fresh)
            entry = Entry(self._fold.number + 1, "publish", self._fold.sha256, now_ms, records)
            try:
                self._append(entry, fresh[0].staging)
            except LedgerConflict:
                self._recover(stagings)
            else:
                return fresh
        raise LedgerConflict(f"lost the next ledger number {ATTEMPTS} times")

    def _check(self, fresh: Iterable[StagedFile]) -> None:
        """What an entry names must be true and durable before it can be committed."""
        for file in fresh:
            check_staged(file)
        self._sync_staged(file.staging / output.name for file in fresh for output in file.record.files)

    def _sync_staged(self, paths: Iterable[Path]) -> None:
        """Make the names of staged files durable."""
        folders = {path.parent for path in paths}
        self._sync({each for folder in folders for each in _folders_up_to(folder, self._folder.root)})

    def _append(self, entry: Entry, staging: Path) -> None:
        """Create the entry under its number, or lose it. After ``link`` there is no way back."""
        target = entry_path(self._folder.root, entry.number)
        self._make(target.parent)
        temporary = staging / f"entry-{entry.number:012d}-{secrets.token_hex(4)}"
        self._folder.disk.write(temporary, encode(entry))
        try:
            self._folder.disk.link(temporary, target)
        except FileExistsError as error:
            raise LedgerConflict(f"ledger entry {entry.number} was taken by another process") from error
        self._folder.disk.sync_folder(target.parent)

    def _place(self, committed: Iterable[StagedFile]) -> None:
        """Step 4 for files this process staged."""
        moves = {
            output.name: file.staging / output.name for file in committed for output in file.record.files
        }
        self._move(moves)
        self._fold = fold(self._folder.root, self._fold)

    def _move(self, moves: dict[str, Path]) -> None:
        """Rename into place, day by day; safe to do again, also by two processes at once."""
        root, disk = self._folder.root, self._folder.disk
        for name in moves:
            self._make((root / name).parent)
        for name in sorted(moves, key=lambda name: (day_in(name), name)):
            target = root / name
            try:
                disk.rename(moves[name], target)
            except FileNotFoundError:
                if not target.exists():
                    raise LedgerError(f"{name} is committed, but its staged file is gone") from None
        self._sync({(root / name).parent for name in moves})

    def _recover(self, wanted: frozenset[Path]) -> Recovered:
        """Finish committed entries, then drop what is dead, then retire: always in this order."""
        root = self._folder.root
        self._fold = fold(root, self._fold)
        new = {name: live.output for name, live in self._fold.live.items() if live.number > self._settled}
        absent = {name: output for name, output in new.items() if not (root / name).exists()}
        moves = {
            name: found
            for name, output in absent.items()
            if (found := find_staged(self._folder.stagings(), output))
        }
        self._move(moves)
        self._settled = self._fold.number
        missing = tuple(name for name in absent if not (root / name).exists())
        dropped = self._folder.drop_abandoned(wanted)
        for captured_file in self._unretired():
            if captured_file in self._fold.records:
                self._retire(captured_file)
        return Recovered(tuple(moves), missing, dropped)

    def _make(self, folder: Path) -> None:
        """Make a folder whose name survives a power loss."""
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._sync({path.parent for path in made})

    def _sync(self, folders: Iterable[Path]) -> None:
        for path in sorted(folders):
            self._folder.disk.sync_folder(path)


def find_staged(stagings: Iterable[Path], output: Output) -> Path | None:
    """The staged file of a committed output, whoever staged it, known by its content; None: there is none."""
    for staging in stagings:
        for path in (staging / output.name, staging / unnumbered(output.name)):
            try:
                if path.stat().st_size == output.bytes and sha256_of(path) == output.sha256:
                    return path
            except FileNotFoundError:
                continue
    return None


def check_staged(file: StagedFile) -> None:
    """Raise ``LedgerError`` unless the fates sum up and every output lies there, whole."""
    check_counts(file.record)
    for output in file.record.files:
        path = file.staging / output.name
        if not path.is_file() or path.stat().st_size != output.bytes:
            raise LedgerError(f"{file.record.captured_file}: its staged file {output.name} is gone")


def _unrecorded(staged: Iterable[StagedFile], known: Fold) -> list[StagedFile]:
    """One of each captured file that the ledger does not have."""
    fresh: dict[str, StagedFile] = {}
    for file in staged:
        name = file.record.captured_file
        if name not in known.records:
            fresh.setdefault(name, file)
    return list(fresh.values())


def _folders_up_to(folder: Path, root: Path) -> Iterable[Path]:
    yield folder
    for parent in folder.parents:
        yield parent
        if parent == root:
            return
