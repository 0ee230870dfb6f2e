"""``connector rejected show``: one rejected event, why, and the line of the schema that says so."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector import json_text
from connector.actions.call import Call, Refusal
from connector.actions.prepare import prepare
from connector.commands.columns import printable
from connector.commands.rejected import PLACE, SEEN_MS, iso, short
from connector.config import Settings
from connector.errors import ConfigError
from connector.events import Captured, Outcome
from connector.lake.faults import lake_errors
from connector.lake.open import open_lake
from connector.schemas.lines import line_at
from connector.tables import REJECTED_REASONS
from connector.terminal import err, out
from connector.validate import Located
from connector.values.names import name_reader
from connector.wiring import Configured, configure, existing_data
from connector.write.rejected import captured_again, kept_bytes

if TYPE_CHECKING:
    import duckdb

_MOST_NAMED = 5
_INDEXED = re.compile(r"(.*):(\d+)", re.DOTALL)


def show(settings: Settings, wanted: str, *, raw: bool, as_json: bool) -> None:
    """Explain one rejected event. No value of it is printed unless ``raw`` asks for its bytes.

    Args:
        wanted: ``<captured_file>:<captured_index>``, where the beginning or the end of the file's name is
            enough if no other event answers to it; or a message id.
        raw: print the kept bytes as they are, and nothing else; in JSON they are added.

    Raises:
        ConfigError: there is no data folder, no such event, or more than one; or the settings are wrong.
        LakeUnreadable: a file cannot be read.
    """
    data = existing_data(settings)
    with lake_errors(data.uri), open_lake(data) as lake:
        row, others = _found(lake, wanted)
    if raw and not as_json:
        sys.stdout.buffer.write(kept_bytes(row))
        sys.stdout.buffer.flush()
        return
    configured = configure(settings, preview=True)
    captured = captured_again(row)
    report = _report(settings, configured, row, captured)
    if as_json:
        kept = {key: row[key] for key in ("raw", "raw_base64") if row[key] is not None}
        click.echo(json_text.dump({**report, **kept} if raw else report), nl=False)
    else:
        _print(report)
        _say_what_next(report, others)


def _found(lake: duckdb.DuckDBPyConnection, wanted: str) -> tuple[dict[str, Any], int]:
    """The row that is meant, and how many more have its message id."""
    indexed = _INDEXED.fullmatch(wanted)
    name, index = (indexed[1], int(indexed[2][:18])) if indexed else (wanted, None)
    matches = lake.execute(
        f"""
        SELECT DISTINCT ON (captured_file, captured_index) captured_file, captured_index, code,
            CASE WHEN {PLACE} = $wanted THEN 0 WHEN message_id = $wanted THEN 1 ELSE 2 END AS rank,
            coalesce({SEEN_MS}, 0) AS seen_ms
        FROM rejected
        WHERE {PLACE} = $wanted OR message_id = $wanted OR (
            ($index IS NULL OR captured_index = $index)
            AND (starts_with(captured_file, $name) OR ends_with(captured_file, $name)))
        ORDER BY rank, seen_ms DESC, captured_file, captured_index
        """,
        {"wanted": wanted, "name": name, "index": index},
    ).fetchall()
    if not matches or not wanted:
        raise ConfigError(f"no rejected event is {printable(wanted)!r}; connector rejected list shows them")
    best = [match for match in matches if match[3] == matches[0][3]]
    if matches[0][3] == 2 and len(best) > 1:
        some = "".join(f"\n  {file}:{at} {code}" for file, at, code, *_ in best[:_MOST_NAMED])
        more = f"\n  and {len(best) - _MOST_NAMED:,} more" if len(best) > _MOST_NAMED else ""
        raise ConfigError(f"{printable(wanted)!r} is the name of {len(best):,} rejected events:{some}{more}")
    one = "captured_file = ? AND captured_index = ? LIMIT 1"
    rows = lake.execute(f"SELECT *, {SEEN_MS} AS seen_ms FROM rejected WHERE {one}", best[0][:2])
    names = [column[0] for column in rows.description]
    row = rows.fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True)), len(best) - 1


def _report(
    settings: Settings, configured: Configured, row: Mapping[str, Any], captured: Captured
) -> dict[str, Any]:
    outcome = configured.pipeline(captured)
    return {
        "reason": row["code"],
        "meaning": REJECTED_REASONS.get(row["code"]),
        "message": row["message"],
        "captured_file": row["captured_file"],
        "captured_index": row["captured_index"],
        "received_at": iso(row["seen_ms"]),
        "source": row["source"],
        "route": row["route"],
        "proven": row["proven"],
        "type": row["type"],
        "event": row["event"],
        "message_id": row["message_id"],
        "kept_bytes": len(captured.raw()),
        "violations": _violations(settings, configured, row, captured, outcome),
        "now": {
            "fate": outcome.fate,
            "reason": outcome.rejected.code if outcome.rejected else None,
            "message": outcome.rejected.message if outcome.rejected else None,
        },
    }


def _violations(
    settings: Settings,
    configured: Configured,
    row: Mapping[str, Any],
    captured: Captured,
    outcome: Outcome,
) -> list[dict[str, Any]]:
    """What the schemas of now find where they are the reason, then or now; else what was noted then."""
    again = outcome.rejected is not None and outcome.rejected.code == "schema_violation"
    call = _call(settings, captured) if again else None
    if call is None:
        return [dict(each) for each in row["violations"] or ()]
    name = call.event["event"] if call.type == "track" else None
    return [
        _located(each, settings.schemas) for each in configured.schemas.located(call.event, name, call.type)
    ]


def _call(settings: Settings, captured: Captured) -> Call | None:
    entry = settings.sources.get(captured.source)
    try:
        return prepare(
            captured.event,
            source=captured.source,
            route=captured.route,
            proven=captured.proven,
            received_at_ms=captured.received_at_ms,
            repaired=captured.repaired,
            names=name_reader(entry.event_aliases if entry else {}),
        )
    except Refusal:
        return None


def _located(found: Located, own: Path | None) -> dict[str, Any]:
    """A violation with the file, the number and the text of the line that asks for it."""
    replaced = own / found.document if own else None
    if replaced is not None and replaced.is_file():
        file, text = str(replaced), replaced.read_bytes()
    else:
        file = f"connector/schemas/{found.document}"
        text = (files("connector.schemas") / found.document).read_bytes()
    line = line_at(text, found.place)
    return {
        **found.violation._asdict(),
        "policy": found.policy,
        "file": file,
        "line": line.number,
        "text": line.text,
        "branches": [_located(branch, own) for branch in found.branches],
    }


def _print(report: Mapping[str, Any]) -> None:
    name = printable(report["event"] or report["type"])
    typed = f" ({printable(report['type'])})" if report["event"] and report["type"] else ""
    meaning = f": {report['meaning']}" if report["meaning"] else ""
    for label, text in (
        ("reason", f"{report['reason']}{meaning}"),
        ("message", report["message"] or ""),
        ("event", f"{name}{typed}" or "unknown"),
        ("message id", printable(report["message_id"]) or "none"),
        ("source", f"{report['source']}, by {report['route']}, proven {report['proven']}"),
        ("received", report["received_at"] or "nobody says when"),
        ("kept as", f"{report['captured_file']}:{report['captured_index']}, {report['kept_bytes']:,} bytes"),
    ):
        out.print(f"{label:<11} {text}", markup=False)
    for number, violation in enumerate(report["violations"], start=1):
        out.print()
        for line in _lines(violation):
            out.print(f"{f'{number}.':<3} {line}" if line[0] != " " else f"    {line}", markup=False)


def _lines(violation: Mapping[str, Any]) -> Iterator[str]:
    noted = " (noted, does not reject)" if violation.get("policy") == "flag" else ""
    yield (
        f"{violation['path'] or 'the event'}: {violation['rule']}: expected {violation['expected']}, "
        f"found {violation['got_type']}{noted}"
    )
    if "file" in violation:
        yield f"  {violation['file']}:{violation['line']}: {violation['text']}"
    branches: Sequence[Mapping[str, Any]] = violation.get("branches", ())
    for branch in branches:
        for line in _lines({**branch, "policy": None}):
            yield f"    {line}"


def _say_what_next(report: Mapping[str, Any], others: int) -> None:
    now, place = report["now"], short(report["captured_file"], report["captured_index"])
    if others:
        err.print(f"{others:,} more rejected events have this message id; the newest is shown")
    if now["fate"] == "rejected":
        changed = (
            f"; now it is {now['reason']}: {now['message']}" if now["reason"] != report["reason"] else ""
        )
        err.print(f"the configuration of now rejects it too{changed}", markup=False)
        err.print(f"its bytes: connector rejected show --raw {place}", markup=False)
    else:
        verdict = "passes now" if now["fate"] == "stored" else f"is {now['fate']} under the present mapping"
        err.print(f"it {verdict}; bring it in: connector rejected redrive --dry-run "
                  f"--reason {report['reason']}", markup=False)  # fmt: skip
