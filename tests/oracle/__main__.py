"""Compare with Segment's engine at length: ``python -m tests.oracle --jobs 100000 --seed 7``.

Progress goes to standard error, a summary in Markdown to standard output. Each difference that is not known
is written, as small as it can be made, to a file of JSON lines; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.markdown import table
from tests.oracle.differences import Difference, Tally, first_difference
from tests.oracle.install import DEFAULT_FOLDER
from tests.oracle.kinds import KINDS, Kind
from tests.oracle.oracle import Oracle, missing

_EXAMPLES = 500
_ENOUGH = 20
"""Differences of one kind after which it is given up."""


def main() -> None:
    options = _options()
    if (what := missing()) is not None:
        sys.exit(f"missing: {what}")
    chosen = [KINDS[name] for name in options.kind or KINDS]
    shares = sum(kind.share for kind in chosen)
    found: list[Difference] = []
    rows: list[Sequence[str]] = []
    with Oracle() as oracle:
        for kind in chosen:
            tally, differences = _run(kind, oracle, options.jobs * kind.share // shares, options.seed)
            found += differences
            known = sum(tally.known.values())
            counts = (tally.jobs, tally.refused, known, len(differences))
            rows.append((kind.name, *(f"{count:,}" for count in counts)))
    print(table(("kind", "jobs", "refused by Segment", "known differences", "other differences"), rows))
    options.out.write_text("".join(json.dumps(asdict(difference)) + "\n" for difference in found))
    for difference in found:
        print(f"\n{difference}", file=sys.stderr)
    sys.exit(1 if found else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100_000, help="how many at least; default 100000")
    parser.add_argument("--seed", type=int, default=0, help="where the dice start; default 0")
    parser.add_argument("--kind", choices=KINDS, action="append", help="this kind alone; may be repeated")
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_FOLDER / "differences.jsonl", help="file for the differences"
    )
    return parser.parse_args()


def _run(kind: Kind, oracle: Oracle, jobs: int, seed: int) -> tuple[Tally, list[Difference]]:
    """Round after round, each with dice of its own, until there were enough jobs or differences."""
    tally = Tally()
    found: dict[str, Difference] = {}
    started, round_ = time.monotonic(), 0
    while tally.jobs < jobs and len(found) < _ENOUGH:
        # Rounds of neighbouring seeds must not repeat each other.
        difference = first_difference(
            kind, oracle, tally, examples=_EXAMPLES, start=seed * 1_000_000 + round_
        )
        round_ += 1
        if difference is not None:
            found.setdefault(str(difference), difference)
        seconds = time.monotonic() - started
        print(
            f"{kind.name}: {tally.jobs:,} of {jobs:,} jobs, {len(found)} differences, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return tally, list(found.values())


if __name__ == "__main__":
    main()
