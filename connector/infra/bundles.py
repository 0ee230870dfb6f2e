"""The code of the functions: a folder with all that a handler imports, and the zip file Lambda takes."""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml

from connector.errors import ConnectorError
from connector.infra.elf import stripped
from connector.infra.requirements import BUNDLES
from connector.infra.slim import is_kept
from connector.infra.wheels import Target, content, wheel_of

LIMIT_BYTES = 262_144_000
"""Unzipped, with layers; above it Lambda refuses a function (AWS: 250 MB)."""
CONFIG_NAME = "connector.yaml"
_ROOT = "/var/task"
"""Where Lambda unpacks a bundle."""
_OLDEST = (1980, 1, 1, 0, 0, 0)
_NEVER_RUN = ("report/", "saved/", "cohorts/", "sample/", "infra/", "commands/", "cli", "reference")
"""Parts of this package that no handler imports; what begins with one of these stays here."""


class BundleTooLarge(ConnectorError):
    """Lambda would refuse a bundle."""

    code = "bundle_too_large"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a deployment is configured with, as it travels in the bundles."""

    text: str
    """The configuration file, with the mapping and the schemas where the bundle has them."""
    mapping: Path
    """A YAML or JSON file; the shipped one when ``own_mapping`` is false."""
    own_mapping: bool
    schemas: Path | None

    @classmethod
    def of(cls, text: str, mapping: Path | None, shipped: Path, schemas: Path | None) -> Configuration:
        """A configuration file's text, with the paths that its settings name."""
        moved: dict[str, Any] = {}
        if mapping:
            moved["mapping"] = f"mapping/{mapping.name}"
        if schemas:
            moved["schemas"] = "schemas"
        if moved:
            text = yaml.safe_dump({**yaml.safe_load(text), **moved}, sort_keys=False)
        return cls(text, mapping or shipped, mapping is not None, schemas)


def assemble(
    bundle: str,
    folder: Path,
    *,
    pins: Mapping[str, str],
    wheels: Path,
    target: Target,
    configuration: Configuration,
) -> int:
    """Fill an empty folder with a bundle: packages, this package, configuration; return its size in bytes.

    Python files are compiled when this machine has the target's Python: Lambda cannot keep what it compiles,
    and would do it at every cold start.

    Raises:
        PackagesFailed: a wheel is missing or broken.
        BundleTooLarge: Lambda would refuse it.
    """
    folder.mkdir(parents=True)
    for name in sorted(BUNDLES[bundle]):
        kept = (
            (path, data)
            for path, data in content(wheel_of(name, pins[name], wheels))
            if is_kept(path, bundle)
        )
        _write(folder, kept)
    _write(folder, _own_files(configuration))
    _compile(folder, target)
    size = size_of(folder)
    if size > LIMIT_BYTES:
        raise BundleTooLarge(f"{bundle}: {size:,} bytes; Lambda takes {LIMIT_BYTES:,} unzipped")
    return size


def zip_folder(folder: Path, path: Path, *, level: int = 6) -> None:
    """Write a zip of a folder; the same files give the same bytes, whoever writes it and when."""
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=level) as archive:
        for file in _files_in(folder):
            entry = ZipInfo(file.relative_to(folder).as_posix(), _OLDEST)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes(), compresslevel=level)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in _files_in(folder))


def interpreter_of(python: str) -> str | None:
    """An interpreter of this version, such as ``3.13``; None: there is none here."""
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{python}")
    return found if found and _version_of(found) == python else None


def _version_of(interpreter: str) -> str | None:
    """Version managers leave commands in the path that only say that they are not set up."""
    asked = [interpreter, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else None


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _write(folder: Path, entries: Iterable[tuple[str, bytes]]) -> None:
    for name, data in entries:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stripped(data) if ".so" in path.suffixes else data)


def _own_files(configuration: Configuration) -> Iterator[tuple[str, bytes]]:
    package = Path(str(files("connector")))
    for path in _files_in(package):
        name = path.relative_to(package).as_posix()
        if not name.startswith((*_NEVER_RUN, "default_mappings")) and "__pycache__" not in path.parts:
            yield f"connector/{name}", path.read_bytes()
    mapping = "mapping" if configuration.own_mapping else "connector/default_mappings"
    yield f"{mapping}/{configuration.mapping.name}", configuration.mapping.read_bytes()
    for schema in sorted(configuration.schemas.glob("*.json")) if configuration.schemas else ():
        yield f"schemas/{schema.name}", schema.read_bytes()
    yield CONFIG_NAME, configuration.text.encode()


def _compile(folder: Path, target: Target) -> None:
    """Compile in place, without times and without this machine's paths in the result."""
    interpreter = interpreter_of(target.python)
    if interpreter == sys.executable:
        compileall.compile_dir(
            folder, quiet=2, stripdir=str(folder), prependdir=_ROOT, maxlevels=50,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
    elif interpreter:
        command = [interpreter, "-I", "-m", "compileall", "-qq", "-s", str(folder), "-p", _ROOT, "-r", "50",
                   "--invalidation-mode=unchecked-hash", str(folder)]  # fmt: skip
        subprocess.run(command, capture_output=True, check=False)
