"""
Install Segment's official SDKs for the tests that run them: ``python tests/sdk/install.py [FOLDER]``.

They land in ``FOLDER`` (``.sdks`` of the checkout): ``python-<version>`` and ``node``. Nothing is installed
when the folder holds these very versions already. No script of a package is run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import installing

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


def python_sdk(folder: Path, version: str) -> Path:
    """Where one version of the Python SDK is, for ``PYTHONPATH``."""
    return folder / f"python-{version}"


def node_sdks(folder: Path) -> Path:
    """The folder that holds ``node_modules``."""
    return folder / "node"


def installed(folder: Path) -> bool:
    """True when the folder holds all of them in these versions."""
    return installing.installed(folder, _WANTED)


def install(folder: Path) -> None:
    """Bring the folder to these versions; a half-done one is begun anew.

    Raises:
        SystemExit: an installer is missing or failed; the message says which.
    """
    installing.bring(folder, _WANTED, lambda: _install_all(folder), "the SDKs")


def _install_all(folder: Path) -> None:
    for version in (PYTHON_NEWEST, PYTHON_PREVIOUS):
        _install_python(installing.emptied(python_sdk(folder, version)), version)
    installing.npm_install(node_sdks(folder), NODE_SDKS)


def _install_python(target: Path, version: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    installing.run([*pip, "--target", str(target), f"{PYTHON_SDK}=={version}"], target)


def main() -> None:
    install((Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER).resolve())


if __name__ == "__main__":
    main()
