"""The page ``docs/schemas.md``, printed from the documents. Run by ``make docs``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector import jsontext
from connector.events import Json
from connector.schemas import read_schemas
from connector.schemas.documents import CALLS, ENVELOPE
from connector.schemas.properties import Property, properties_of
from connector.schemas.resolve import resolve
from connector.values.names import SPEC_NAMES

_NOTE = "<!-- Printed by `make docs` from `connector/schemas/`; edit those. -->\n"
_INTRODUCTION = """\
Every call is held to the envelope, to the document of its type and, when it is a track call whose name has
one, to the document of its event. What deviates becomes a violation on the row; no shipped document rejects.
Names are those of Segment's ecommerce spec, version 2; further properties are always welcome and kept.

Required: *yes*; *this or x*, one of them is enough; *with x*, only when x is there. `connector schemas` shows
and exports the documents and imports tracking plans; your own lie in the folder of the setting `schemas`.
"""


def schemas_page() -> str:
    """One section per document: the envelope, call types, events in the order of the spec."""
    documents = read_schemas()
    calls = {document.get("x-call"): name for name, document in documents.items()}
    titles = {document.get("title"): name for name, document in documents.items()}
    order = [ENVELOPE, *_found(CALLS, calls), *_found(SPEC_NAMES, titles)]
    return "\n".join([_NOTE, "# Schemas\n", _INTRODUCTION, *(_section(name, documents) for name in order)])


def _found(keys: Iterable[str], names: Mapping[str | None, str]) -> list[str]:
    return [names[key] for key in keys if key in names]


def _section(name: str, documents: Mapping[str, Json]) -> str:
    document = documents[name]
    heading = document.get("title") or f"`{document.get('x-call', 'envelope')}`"
    rows = "".join(_row(each) for each in properties_of(resolve(name, documents)))
    head = "| property | type | required | meaning | example |\n| --- | --- | --- | --- | --- |\n"
    example = jsontext.dumps(document["examples"][0])
    return f"## {heading}\n\n{document['description']}\n\n{head}{rows}\n```json\n{example}\n```\n"


def _row(each: Property) -> str:
    types = ", ".join(kind for kind in each.types if kind != "null")
    example = f"`{jsontext.dumps(each.examples[0])}`" if each.examples else ""
    cells = (f"`{each.path}`", types, each.required, each.description, example)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n".replace("|  |", "| |")
