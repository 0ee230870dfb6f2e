"""Bundles for deployment: all of them into one folder, then, if wanted, into a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from connector.infra.bundles import Configuration, assemble, zip_folder
from connector.infra.requirements import BUNDLES, pins
from connector.infra.wheels import Target, fetch


class Packed(NamedTuple):
    """One bundle, ready."""

    name: str
    path: Path
    unzipped_bytes: int
    zipped_bytes: int


def package(
    configuration: Configuration, target: Target, out: Path, said: Callable[[str], None] = lambda _: None
) -> list[Packed]:
    """Write ``receiver.zip``, ``writer.zip`` and ``janitor.zip`` into ``out``, made when it is not there.

    The same versions and the same sources give the same files, byte for byte.

    Args:
        said: told what is being done, a word or two each time.

    Raises:
        ConfigError: packages are not installed, so nobody knows their versions.
        PackagesFailed: pip found no wheels for the target.
        BundleTooLarge: Lambda would refuse a bundle.
    """
    versions = pins()
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".bundles-") as scratch:
        said("fetching wheels")
        fetch(versions, target, Path(scratch) / "wheels")
        return [_packed(name, Path(scratch), versions, target, configuration, out, said) for name in BUNDLES]


def upload(packed: list[Packed], prefix: str, put: Callable[[str, Path], object]) -> dict[str, str]:
    """Put bundles under names that tell their content: what has not changed is deployed as unchanged.

    Args:
        prefix: what the names begin with, may be empty.
        put: sends a file into the bucket under a name; what it raises comes through.

    Returns:
        ``receiver.zip`` -> ``<prefix>/<hash>/receiver.zip``.
    """
    names = {}
    for each in packed:
        digest = sha256(each.path.read_bytes()).hexdigest()[:16]
        name = "/".join(filter(None, [prefix.strip("/"), digest, each.path.name]))
        put(name, each.path)
        names[each.path.name] = name
    return names


def _packed(
    name: str, scratch: Path, versions: Mapping[str, str], target: Target, configuration: Configuration,
    out: Path, said: Callable[[str], None],
) -> Packed:  # fmt: skip
    said(f"putting together {name}")
    folder, path = scratch / name, out / f"{name}.zip"
    size = assemble(
        name, folder, pins=versions, wheels=scratch / "wheels", target=target, configuration=configuration
    )
    said(f"zipping {name}")
    zip_folder(folder, path)
    return Packed(name, path, size, path.stat().st_size)
