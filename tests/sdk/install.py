"""
Install Segment's official SDKs for the tests that run them: ``python tests/sdk/install.py [FOLDER]``.

They land in ``FOLDER`` (``.sdks`` of the checkout): ``python-<version>`` and ``node``. Nothing is installed
when the folder holds these very versions already. No script of a package is run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = Path(os.environ.get("SDKS") or ROOT / ".sdks")

PYTHON_SDK = "segment-analytics-python"
PYTHON_NEWEST = "2.4.0"
PYTHON_PREVIOUS = "2.3.6"
"""The last that takes 200 alone for an answer, and the one that many still run (segment-delivery 2.4)."""
NODE_SDKS: Mapping[str, str] = {"@segment/analytics-node": "3.1.0", "@segment/analytics-next": "1.84.3"}

_WANTED = {
    "for": f"python {sys.version_info.major}.{sys.version_info.minor}",
    PYTHON_SDK: [PYTHON_NEWEST, PYTHON_PREVIOUS],
    **NODE_SDKS,
}
_SECONDS = 600.0


def python_sdk(folder: Path, version: str) -> Path:
    """Where one version of the Python SDK is, for ``PYTHONPATH``."""
    return folder / f"python-{version}"


def node_sdks(folder: Path) -> Path:
    """The folder that holds ``node_modules``."""
    return folder / "node"


def installed(folder: Path) -> bool:
    """True when the folder holds all of them in these versions."""
    try:
        return bool(json.loads(_stamp(folder).read_bytes()) == _WANTED)
    except (OSError, ValueError):
        return False


def install(folder: Path) -> None:
    """Bring the folder to these versions; a half-done one is begun anew.

    Raises:
        SystemExit: an installer is missing or failed; the message says which.
    """
    _stamp(folder).unlink(missing_ok=True)
    for version in (PYTHON_NEWEST, PYTHON_PREVIOUS):
        _install_python(_emptied(python_sdk(folder, version)), version)
    _install_node(_emptied(node_sdks(folder)))
    _stamp(folder).write_text(json.dumps(_WANTED, indent=2) + "\n")


def _install_python(target: Path, version: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    _run([*pip, "--target", str(target), f"{PYTHON_SDK}=={version}"], target)


def _install_node(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(
            "npm is missing: the SDKs for Node and for browsers need it (Debian: apt-get install nodejs npm)"
        )
    manifest = {"private": True, "dependencies": dict(NODE_SDKS)}
    (target / "package.json").write_text(json.dumps(manifest, indent=2) + "\n")
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    _run([npm, "install", "--prefix", str(target), *quiet], target)


def _run(command: list[str], folder: Path) -> None:
    print(f"installing {folder.name}", flush=True)
    try:
        code = subprocess.run(command, cwd=folder, timeout=_SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        sys.exit(f"{folder.name}: not installed within {_SECONDS:.0f} s")
    if code != 0:
        sys.exit(f"{folder.name}: the installer failed with exit code {code}; its own words are above")


def _emptied(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _stamp(folder: Path) -> Path:
    return folder / "installed.json"


def main() -> None:
    folder = (Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER).resolve()
    if installed(folder):
        print(f"{folder.name} holds the SDKs already")
    else:
        install(folder)


if __name__ == "__main__":
    main()
