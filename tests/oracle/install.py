"""
Install Segment's own engine for the comparison with it: ``python -m tests.oracle.install [FOLDER]``.

It lands in ``FOLDER`` (``.oracle`` of the checkout), about 120 MB. Nothing is installed when the folder
holds these very versions already. No script of a package is run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests import installing

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = Path(os.environ.get("ORACLE") or ROOT / ".oracle")

PACKAGES: Mapping[str, str] = {
    "@segment/actions-core": "3.170.0",
    "@segment/destination-subscriptions": "3.37.0",
    "@segment/action-destinations": "3.497.0",
}
OVERRIDES: Mapping[str, str] = {
    "fast-uri": "3.1.0",
    "ajv": "8.18.0",
    "liquidjs": "10.27.2",
    "dayjs": "1.10.7",
    "@segment/actions-core": "3.170.0",
    "@segment/destination-subscriptions": "3.37.0",
    # Asked for in a version that is not published any more; no destination that is run here uses it.
    "@aws-sdk/client-kinesis": "3.970.0",
}
"""What decides about results is held fast, so that a difference found today is there tomorrow."""

_WANTED = {"packages": dict(PACKAGES), "overrides": dict(OVERRIDES)}


def node_path(folder: Path) -> Path:
    """The folder of the packages, for ``NODE_PATH``."""
    return folder / "node" / "node_modules"


def installed(folder: Path) -> bool:
    """True when the folder holds all of it in these versions."""
    return installing.installed(folder, _WANTED)


def install(folder: Path) -> None:
    """Bring the folder to these versions.

    Raises:
        SystemExit: npm is missing or failed.
    """
    installing.bring(
        folder,
        _WANTED,
        lambda: installing.npm_install(folder / "node", PACKAGES, overrides=OVERRIDES),
        "Segment's engine",
    )


def main() -> None:
    install((Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER).resolve())


if __name__ == "__main__":
    main()
