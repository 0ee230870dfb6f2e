"""Wheels for another machine: fetched once with pip, unpacked without it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from connector.errors import ConnectorError

ARCHITECTURES: Mapping[str, str] = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Lambda's name of a processor -> the one in wheels."""
_NEWEST_GLIBC = 28
"""2.28: no newer than what Lambda's Python 3.12 and later run on (2.34)."""
_OLDEST_GLIBC = 17


class PackagesFailed(ConnectorError):
    """Packages could not be fetched, or are no wheels."""

    code = "packages"


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that a bundle is for."""

    architecture: str
    """``arm64`` or ``x86_64``."""
    python: str
    """``3.13``."""

    @property
    def name(self) -> str:
        return f"{self.architecture}-{self.python}"


def fetch(pins: Mapping[str, str], target: Target, folder: Path) -> None:
    """Bring the wheels of exactly these versions for a target into a folder; pip's own cache is used.

    Raises:
        PackagesFailed: pip is missing or found no such wheel; its own words are in the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheel_tag = ARCHITECTURES[target.architecture]
    platforms = [f"manylinux_2_{minor}_{wheel_tag}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
    platforms.append(f"manylinux2014_{wheel_tag}")
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
        "--only-binary=:all:", "--implementation=cp", f"--python-version={target.python}",
        f"--abi=cp{target.python.replace('.', '')}", "--abi=abi3", "--abi=none",
        *(f"--platform={platform}" for platform in platforms), f"--dest={folder}",
        *(f"{name}=={version}" for name, version in pins.items()),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        raise PackagesFailed("\n".join([f"pip found no wheels for {target.name}", *said[-3:]]))


def wheel_of(name: str, version: str, folder: Path) -> Path:
    """The wheel of a package in a folder that ``fetch`` has filled.

    Raises:
        PackagesFailed: it is not there.
    """
    wanted = name.replace("-", "_").lower(), version
    for path in folder.glob("*.whl"):
        found, found_version, *_ = path.name.split("-")
        if (found.lower().replace(".", "_"), found_version) == wanted:
            return path
    raise PackagesFailed(f"{name} {version} is not among the wheels")


def content(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """What a wheel installs below ``site-packages``: path and bytes.

    Raises:
        PackagesFailed: it is no wheel.
    """
    try:
        with ZipFile(wheel) as archive:
            for entry in archive.infolist():
                path = _place(entry.filename)
                if path and not entry.is_dir():
                    yield path, archive.read(entry)
    except BadZipFile:
        raise PackagesFailed(f"{wheel.name}: is not a wheel") from None


def _place(name: str) -> str | None:
    """``x.data/purelib/y`` lies at ``y``; scripts, headers and other data of a wheel lie elsewhere."""
    head, _, rest = name.partition("/")
    if not head.endswith(".data"):
        return name
    kind, _, path = rest.partition("/")
    return path if kind in ("purelib", "platlib") else None
