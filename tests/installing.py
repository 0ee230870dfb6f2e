"""What tests need from a package registry: brought into a folder of its own once, by the ordinary clients."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SECONDS = 240.0
_STAMP = "installed.json"
_SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Debian's own; Node brings another set and trusts no proxy of the machine's unless it is told to."""


def installed(folder: Path, wanted: Mapping[str, Any]) -> bool:
    """True when the folder's stamp names just what is wanted."""
    try:
        return bool(json.loads((folder / _STAMP).read_bytes()) == wanted)
    except (OSError, ValueError):
        return False


def bring(folder: Path, wanted: Mapping[str, Any], install: Callable[[], None], what: str) -> None:
    """Run ``install`` unless the folder is stamped with what is wanted; a half-done one is begun anew.

    Raises:
        SystemExit: an installer is missing or failed; the message says which.
    """
    if installed(folder, wanted):
        print(f"{folder.name} holds {what} already")
        return
    (folder / _STAMP).unlink(missing_ok=True)
    install()
    (folder / _STAMP).write_text(json.dumps(wanted, indent=2) + "\n")


def npm_install(
    target: Path, packages: Mapping[str, str], *, overrides: Mapping[str, str] | None = None
) -> None:
    """Install npm packages into ``target/node_modules``: no script is run, no lock file is kept.

    Args:
        target: emptied first.
        packages: name to exact version.
        overrides: name to the version that every package below gets, whatever it asks for.

    Raises:
        SystemExit: npm is missing or failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is missing: packages for Node need it (Debian: apt-get install nodejs npm)")
    emptied(target)
    manifest = {"private": True, "dependencies": dict(packages), "overrides": dict(overrides or {})}
    (target / "package.json").write_text(json.dumps(manifest, indent=2) + "\n")
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    quiet += ["--fetch-retries=2", "--fetch-timeout=30000", "--fetch-retry-maxtimeout=10000"]
    run([npm, "install", "--prefix", str(target), *quiet], target)


def run(command: list[str], folder: Path) -> None:
    """Run an installer in the folder that it fills.

    Raises:
        SystemExit: it failed or took too long.
    """
    print(f"installing {folder.name}", flush=True)
    try:
        code = subprocess.run(
            command, cwd=folder, env=_environment(), timeout=_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        sys.exit(f"{folder.name}: not installed within {_SECONDS:.0f} s")
    if code != 0:
        sys.exit(f"{folder.name}: the installer failed with exit code {code}; its own words are above")


def _environment() -> dict[str, str]:
    """This process's own, and for Node the certificates that the machine trusts unless others are named."""
    known = {"NODE_EXTRA_CA_CERTS": str(_SYSTEM_CERTIFICATES)} if _SYSTEM_CERTIFICATES.is_file() else {}
    return {**known, **os.environ}


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder
