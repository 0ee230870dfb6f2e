"""Reference pages printed from the declarations: tables, actions, settings. A test keeps them current."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connector.actions.fields import LAKE_ACTIONS
from connector.config import Settings
from connector.infra import costs
from connector.lake.views import DUPLICATES
from connector.options import CHANNELS, AwsOptions, S3Options, SecondHeader, SourceSettings
from connector.reference_mixpanel import mixpanel_page
from connector.reference_reports import reports_page
from connector.reference_schemas import schemas_page
from connector.tables import FLAGS, REJECTED_REASONS, TABLES, TYPES, Table

_BEGIN = "<!-- settings: printed by `make docs` -->"
_END = "<!-- end of settings -->"
_COSTS = "<!-- costs: printed by `make docs` -->"
_END_OF_COSTS = "<!-- end of costs -->"
_NOTE = "<!-- Printed by `make docs` from the declarations in `connector/`; edit those. -->\n"


_BESIDE = (
    "Files of lines, gzipped NDJSON. The views `rejected` and `duplicates` read those that the ledger says "
    "are live.\n"
)
_LINES = (
    (
        "`rejected/day=<day of arrival>/`",
        "an event that was not taken: reason, bytes, violations; `shared`: what its batch said for all",
    ),
    (
        "`duplicates/day=<day of the row>/`",
        "a row that is not kept because another event has it: "
        + ", ".join(f"`{name}`" for name in DUPLICATES),
    ),
)


def pages() -> dict[str, str]:
    """File name below ``docs/`` to its text."""
    return {
        "tables.md": tables_page(),
        "actions.md": actions_page(),
        "settings.md": settings_page(),
        "schemas.md": schemas_page(),
        "mixpanel.md": mixpanel_page(),
        "reports.md": reports_page(_NOTE, _grid),
    }


def tables_page() -> str:
    """Every table and column, the types, the flags, the rejected reasons."""
    parts = [
        _NOTE,
        "# Tables\n",
        "One folder per table and UTC day of `timestamp`: `tables/<table>/day=YYYY-MM-DD/*.parquet`. "
        "Rows with the same `row_id` are copies of one row; the shipped views show one of them. "
        "A column is never renamed or retyped; new ones are nullable and stand at the end.\n",
        "## Types\n",
        _grid(("code", "type"), ((f"`{code}`", text) for code, text in TYPES.items())),
    ]
    parts += [_table(table) for table in TABLES]
    parts += [
        "## Flags\n",
        "`flags` holds `{code, path}`: what was noticed, and its place in the received event.\n",
        _grid(("code", "meaning"), ((f"`{code}`", text) for code, text in FLAGS.items())),
        "## Rejected reasons\n",
        _grid(("code", "meaning"), ((f"`{code}`", text) for code, text in REJECTED_REASONS.items())),
        "## Beside the tables\n",
        _BESIDE,
        _grid(("file", "one line is"), _LINES),
    ]
    return "\n".join(parts)


def _table(table: Table) -> str:
    rows = (
        (
            f"`{column.name}`",
            f"`{column.code}`" + ("" if column.nullable else ", never null"),
            column.meaning,
            ", ".join(f"`{source}`" for source in column.sources),
            column.rule,
            column.pii,
        )
        for column in table.columns
    )
    head = ("column", "type", "meaning", "source, first that has a value", "rule", "personal data")
    return f"## `{table.name}`\n\n{table.meaning}. {len(table.columns)} columns.\n\n{_grid(head, rows)}"


def actions_page() -> str:
    """The lake's actions and their fields."""
    parts = [_NOTE, "# Actions of the lake\n"]
    for action in LAKE_ACTIONS:
        rows = (
            (
                f"`{field.key}`",
                field.type,
                "yes" if field.required else "",
                "" if field.default is None else f"`{_json(field.default)}`",
                field.description,
            )
            for field in action.fields
        )
        grid = _grid(("field", "type", "required", "default", "meaning"), rows)
        parts.append(f"## `{action.partner_action}`\n\n{action.description}\n\n{grid}")
    return "\n".join(parts)


def settings_page() -> str:
    """Every setting of ``connector.yaml``."""
    parts = [
        _NOTE,
        "# Settings\n",
        "A key of the file is also a variable: `data` is `CONNECTOR_DATA`. Options of a command win over "
        "variables, variables over the file. `sources`, `columns` and `channels` are JSON in a variable.\n",
        settings_grid(Settings.model_fields),
        "## `sources.<name>`\n",
        settings_grid(SourceSettings.model_fields),
        "## `sources.<name>.second_header`\n",
        settings_grid(SecondHeader.model_fields),
        "## `s3`\n",
        settings_grid(S3Options.model_fields),
        "## `aws`\n",
        settings_grid(AwsOptions.model_fields),
    ]
    for kind, model in CHANNELS.items():
        fields = {name: field for name, field in model.model_fields.items() if name != "kind"}
        parts += [f"## `channels.<name>`, `kind: {kind}`\n", settings_grid(fields)]
    return "\n".join(parts)


def settings_grid(fields: Mapping[str, FieldInfo]) -> str:
    rows = ((f"`{name}`", _default(field), field.description or "") for name, field in fields.items())
    return _grid(("key", "default", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), {}, "") or isinstance(value, S3Options | AwsOptions):
        return ""
    return f"`{_json(value)}`"


def _json(value: Any) -> str:
    import json

    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value) if isinstance(value, dict | list | tuple | bool) else str(value)


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |".replace("|  |", "| |") for line in lines) + "\n"


def with_settings(readme: str) -> str:
    """The README with the settings table printed anew between its two marks."""
    return _between(readme, _BEGIN, settings_grid(Settings.model_fields), _END)


def with_costs(notes: str) -> str:
    """The deployment notes with the chapter on costs printed anew."""
    return _between(notes, _COSTS, costs.section() + "\n", _END_OF_COSTS)


def _between(text: str, begin: str, printed: str, end: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, behind = rest.partition(end)
    return f"{before}{begin}\n\n{printed}\n{end}{behind}"


if __name__ == "__main__":
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for name, text in pages().items():
        (root / "docs" / name).write_text(text, encoding="utf-8")
    for page, printed in (("README.md", with_settings), ("infra/README.md", with_costs)):
        path = root / page
        path.write_text(printed(path.read_text(encoding="utf-8")), encoding="utf-8")
