"""Print ``docs/reliability.md``: ``python -m tests.reliability RESULTS_FOLDER [--to FILE]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.reliability.page import page, read_notes
from tests.reliability.points import ROOT, cited


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("results", type=Path, help="folder that CONNECTOR_FAULT_RESULTS named")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "reliability.md", help="file to write")
    options = parser.parse_args()
    options.to.write_text(page(read_notes(options.results), cited()), encoding="utf-8")
    sys.stderr.write(f"wrote {options.to}\n")


if __name__ == "__main__":
    main()
