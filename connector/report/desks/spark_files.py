"""Live table files laid out as Spark reads them: ``<table>/day=<day>/<number>.parquet``, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from connector.errors import LedgerError
from connector.lake.faults import LakeUnreadable
from connector.tables import Table
from connector.tables.layout import day_in, table_of
from connector.write.data import DataReader, StoreData
from connector.write.folder import stagings_of
from connector.write.object_ledger import in_parallel
from connector.write.publish import find_staged

_FOLDS = 4
_PAUSE_SECONDS = 0.25


def lay_out(data: DataReader, tables: Sequence[Table], folder: Path) -> dict[str, Path]:
    """
    Lay out the live files of tables below a folder, numbered in the order of their names.

    Files of this machine are linked, files in a store are downloaded. A path may hold what Spark takes for a
    pattern, and files may still be staged: neither matters here.

    Returns:
        Table -> the folder with its days, empty when there are no rows.

    Raises:
        LakeUnreadable: a listed file is not there.
        StoreError: the store refused.
        LedgerError: the ledger is damaged.
    """
    folders = {table.name: folder / table.name for table in tables}
    for each in folders.values():
        each.mkdir()
    if isinstance(data, StoreData):
        _download(data, _targets(data.fold().tables, folders))
        return folders
    paths = _live_paths(data)
    for name, target in _targets(paths, folders).items():
        target.symlink_to(paths[name].absolute())
    return folders


def _targets(names: Iterable[str], folders: dict[str, Path]) -> dict[str, Path]:
    """Where each file of the wanted tables goes; its folder is made."""
    wanted = [name for name in sorted(names) if table_of(name) in folders]
    found = {
        name: folders[table_of(name)] / f"day={day_in(name)}" / f"{number:08}.parquet"
        for number, name in enumerate(wanted)
    }
    for target in found.values():
        target.parent.mkdir(exist_ok=True)
    return found


def _live_paths(data: DataReader) -> dict[str, Path]:
    """Live table files and where they lie; between a commit and its last rename some are still staged."""
    assert data.root is not None
    root = data.root
    for number in range(1, _FOLDS + 1):
        state = data.fold()
        if not state.entries:
            return {path.relative_to(root).as_posix(): path for path in root.glob("tables/*/*/*.parquet")}
        paths = {name: root / name for name in state.tables}
        missing = [name for name, path in paths.items() if not path.exists()]
        if not missing:
            return paths
        if number < _FOLDS:
            time.sleep(_PAUSE_SECONDS)
    for name in missing:
        found = find_staged(stagings_of(root), state.tables[name].output)
        if found is None:
            raise LakeUnreadable(
                f"{name} is in the ledger and not in its place: connector audit tells what is lost"
            )
        paths[name] = found
    return paths


def _download(data: StoreData, targets: dict[str, Path]) -> None:
    def download(one: tuple[str, Path]) -> None:
        if not data.store.download(*one):
            raise LedgerError(f"{one[0]} is in the ledger and not in the store")

    for _ in in_parallel(download, list(targets.items())):
        pass
