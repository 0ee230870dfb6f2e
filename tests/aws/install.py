"""
Install MiniStack, an AWS emulator, for tests that deploy onto it: ``python tests/aws/install.py [FOLDER]``.

It lands in an environment of its own, ``FOLDER`` (``.ministack`` of the checkout): its botocore
is not the connector's. Nothing is installed when the folder holds this very version already.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests import installing

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = Path(os.environ.get("MINISTACK") or ROOT / ".ministack")

PACKAGE = "ministack"
VERSION = "1.5.33"
BOTO3 = "1.43.106"
"""That of its botocore. Lambda's Python brings boto3, so functions that run in the emulator find one too."""

_WANTED = {
    "for": f"python {sys.version_info.major}.{sys.version_info.minor}",
    PACKAGE: VERSION,
    "boto3": BOTO3,
}


def program(folder: Path) -> Path:
    """Its own command."""
    return folder / "bin" / PACKAGE


def installed(folder: Path) -> bool:
    """True when the folder holds this version."""
    return installing.installed(folder, _WANTED) and program(folder).is_file()


def install(folder: Path) -> None:
    """Bring the folder to this version; a half-done one is begun anew.

    Raises:
        SystemExit: an installer is missing or failed; the message says which.
    """
    installing.bring(folder, _WANTED, lambda: _install(folder), "MiniStack")


def _install(folder: Path) -> None:
    installing.emptied(folder)
    installing.run([sys.executable, "-m", "venv", str(folder)], folder.parent)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    installing.run([*pip, f"{PACKAGE}=={VERSION}", f"boto3=={BOTO3}"], folder)


def main() -> None:
    install((Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER).resolve())


if __name__ == "__main__":
    main()
