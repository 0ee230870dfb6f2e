"""``connector schemas``: the documents that events are checked against, to see, hand on and take over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from connector import json_text
from connector.errors import ConfigError, ConnectorError
from connector.events import Json
from connector.schemas import own_schemas, read_schemas
from connector.schemas.documents import ENVELOPE, pointer, subschemas
from connector.schemas.properties import properties_of, requirements
from connector.schemas.resolve import resolve
from connector.terminal import err
from connector.tracking_plan import from_plan, to_plan
from connector.validate import compile_schemas
from connector.values.names import fold, spec_name

_PART = "part"
"""What a document is called that holds for nothing by itself."""


class UnknownSchema(ConnectorError):
    """No document answers to a name."""

    code = "unknown_schema"


class Documents:
    """The shipped documents, joined and replaced by those of the user's folder. All of them are right."""

    def __init__(self, folder: Path | None) -> None:
        """
        Args:
            folder: the user's own documents; None: there are none.

        Raises:
            ConfigError: the folder or documents are wrong: every fault.
        """
        self.folder = folder
        self.all = read_schemas(folder)
        self._own = own_schemas(folder) if folder else {}
        self._shipped = read_schemas()
        compile_schemas(self.all)

    def origin(self, name: str) -> str:
        if name not in self._own:
            return "shipped"
        return "own, replaces shipped" if name in self._shipped else "own"

    def find(self, wanted: str) -> str:
        """Return the file name of the document for an event name, a call type or a file name.

        Raises:
            UnknownSchema: with the names nearest to it.
        """
        spoken = self._spellings()
        folded = {fold(spelling): name for spelling, name in reversed(spoken.items())}
        for found in (spoken.get(wanted), spoken.get(spec_name(wanted)), folded.get(fold(wanted))):
            if found:
                return found
        near = get_close_matches(fold(wanted), folded, n=3, cutoff=0.5)
        nearest = dict.fromkeys(_about(folded[each], self.all[folded[each]]) for each in near)
        hint = f"; nearest: {', '.join(nearest)}" if near else ""
        raise UnknownSchema(f"no schema for {wanted}{hint}. connector schemas list shows all")

    def _spellings(self) -> dict[str, str]:
        """Event names, call types and file names, of equal ones the first, to file names."""
        spoken: dict[str, str] = {}
        for keyword in ("title", "x-call"):
            spoken |= {
                document[keyword]: name
                for name, document in self.all.items()
                if keyword in document and document[keyword] not in spoken
            }
        for name in self.all:
            spoken.setdefault(name, name)
            spoken.setdefault(name.removesuffix(".json"), name)
        return spoken


def show_list(documents: Documents, *, as_json: bool) -> None:
    """Print what there is: first what holds for every call, then call types, events and parts."""
    rows = [
        _summary(name, documents) for name in sorted(documents.all, key=lambda name: _order(name, documents))
    ]
    if as_json:
        click.echo(json_text.dump(rows), nl=False)
        return
    head = ("holds for", "file", "origin", "properties", "policy", "required")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: Mapping[str, Json]) -> tuple[str, ...]:
    required = ", ".join(asked for asked in row["required"] if "." not in asked)
    return row["about"], row["file"], row["origin"], str(row["properties"]), _cost(row), required


def show(documents: Documents, wanted: str, *, resolved: bool) -> None:
    """Print one document as JSON."""
    name = documents.find(wanted)
    click.echo(json_text.dump(resolve(name, documents.all) if resolved else documents.all[name]), nl=False)


def export(documents: Documents, kind: str, wanted: Sequence[str], output: str | None) -> None:
    """Print or write documents, as one tracking plan or as JSON Schemas that stand alone."""
    names = [documents.find(name) for name in wanted] if wanted else None
    if kind == "tracking-plan":
        _export_plan(documents, names, output)
    else:
        _export_schemas(documents, names, output)


def import_plan(plan: Path, into: Path, *, force: bool) -> None:
    """Write the documents that a tracking plan stands for; all or, when anything is wrong, none.

    Raises:
        ConfigError: every fault of the plan, or every file that is there already and says something else.
    """
    shipped, there = read_schemas(), own_schemas(into) if into.is_dir() else {}
    imported = from_plan(_read_plan(plan), {**shipped, **there}, plan.name)
    compile_schemas({**shipped, **there, **imported.documents})
    changed = [
        name for name in imported.documents if name in there and there[name] != imported.documents[name]
    ]
    if changed and not force:
        lines = (
            f"{into / name}: is there already and says something else; --force writes over it"
            for name in changed
        )
        raise ConfigError("\n".join(lines))
    into.mkdir(parents=True, exist_ok=True)
    for name, document in imported.documents.items():
        (into / name).write_text(json_text.dump(document), encoding="utf-8")
    for name, document in imported.documents.items():
        instead = ", instead of the shipped one" if name in shipped else ""
        click.echo(f"{into / name}: {_about(name, document)}{instead}")
    for note in (*imported.notes, *_never_named(imported.documents.values())):
        err.print(note, markup=False)


def _export_plan(documents: Documents, names: Sequence[str] | None, output: str | None) -> None:
    exported = to_plan(documents.all, names)
    if not exported.plan["rules"]:
        raise UnknownSchema("a tracking plan has no type of rule for what was named")
    text = json_text.dump(exported.plan)
    for name in exported.left_out:
        err.print(f"{name}: left out, a tracking plan has no type of rule for it", markup=False)
    if output is None:
        click.echo(text, nl=False)
        return
    path = Path(output)
    path = path / "tracking-plan.json" if path.is_dir() else path
    path.write_text(text, encoding="utf-8")
    err.print(f"{path}: {len(exported.plan['rules'])} rules", markup=False)


def _export_schemas(documents: Documents, names: Sequence[str] | None, output: str | None) -> None:
    chosen = names or [name for name in documents.all if _about(name, documents.all[name]) != _PART]
    resolved = {name: resolve(name, documents.all) for name in chosen}
    if output is None:
        click.echo(
            json_text.dump(next(iter(resolved.values())) if len(resolved) == 1 else resolved), nl=False
        )
        return
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in resolved.items():
        (folder / name).write_text(json_text.dump(document), encoding="utf-8")
    err.print(f"{folder}: {len(resolved)} documents", markup=False)


def _read_plan(path: Path) -> Json:
    try:
        return json_text.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None


def _about(name: str, document: Mapping[str, Json]) -> str:
    """What a document holds for, in a word or two."""
    if name == ENVELOPE:
        return "every call"
    return str(document.get("title") or document.get("x-call") or _PART)


def _order(name: str, documents: Documents) -> tuple[int, str, str]:
    document = documents.all[name]
    kinds = (name == ENVELOPE, "x-call" in document, "title" in document, True)
    return kinds.index(True), _about(name, document), name


def _summary(name: str, documents: Documents) -> dict[str, Json]:
    document = documents.all[name]
    properties = properties_of(resolve(name, documents.all))
    inside = [
        f"#{pointer(path)}"
        for path, schema in subschemas(document)
        if path and _rejects(schema.get("x-policy"))
    ]
    return {
        "about": _about(name, document),
        "event": document.get("title"),
        "call": document.get("x-call"),
        "file": name,
        "origin": documents.origin(name),
        "properties": len(properties),
        "required": requirements(properties),
        "policy": document.get("x-policy", "flag"),
        "rejects_at": inside,
    }


def _rejects(policy: Json) -> bool:
    return policy == "reject" or (isinstance(policy, dict) and "reject" in policy.values())


def _cost(row: Mapping[str, Json]) -> str:
    stated = row["policy"] if isinstance(row["policy"], str) else "reject by keyword"
    return ", ".join([stated, *(f"rejects at {place}" for place in row["rejects_at"])])


def _never_named(documents: Iterable[Mapping[str, Json]]) -> list[str]:
    """A note on each name that no event will have, because it counts as another one."""
    titles = [str(document["title"]) for document in documents if "title" in document]
    return [
        f"{title}: events of this name count as {spec_name(title)}, so this document holds for none of them"
        for title in titles
        if spec_name(title) != title
    ]
