"""Saved reports: a question under a name, asked again at a new moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from connector.errors import ConfigError
from connector.report.kinds import kind_of
from connector.report.options import checked
from connector.report.question import Moment, Question
from connector.saved.documents import Document, Documents
from connector.saved.files import Files

FOLDER = "saved/reports"


class SavedReport(BaseModel):
    """One version of a saved report. Source: analytics definitions, section 8."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    name: str
    kind: str
    """Kind of report, as ``categories``."""
    parameters: dict[str, Any]
    """Those that differ from the defaults of the kind."""
    created: Moment
    """When this version was saved."""
    version: int

    def question(self) -> Question:
        """The question it asks. Raises ``ConfigError``: the parameters do not fit the kind (any more)."""
        return checked(kind_of(self.kind).question, self.parameters, f"saved report {self.id}: ")


class SavedReports:
    """The saved reports beside the data. Methods raise as those of ``Documents`` do."""

    def __init__(self, files: Files) -> None:
        self._documents = Documents(files, FOLDER, "saved report")

    def list(self) -> list[SavedReport]:
        """The newest version of each, by id."""
        return [_report(document) for document in self._documents.newest()]

    def get(self, id_: str, version: int | None = None) -> SavedReport:
        """A version, by default the newest. Raises ``ConfigError``: there is none."""
        return _report(self._documents.get(id_, version))

    def save(self, id_: str, question: Question, now: datetime, name: str | None = None) -> SavedReport:
        """Save a question as the next version of a report.

        Raises:
            ConfigError: the id is no slug.
            Conflict: somebody else saved it at the same moment.
        """
        content = {
            "name": name or id_,
            "kind": question.KIND,
            "parameters": question.stated(),
            "created": now.isoformat(timespec="milliseconds"),
        }
        return _report(self._documents.save(id_, content))

    def delete(self, id_: str) -> None:
        """Raises ``ConfigError``: there is none."""
        self._documents.delete(id_)


def _report(document: Document) -> SavedReport:
    try:
        return SavedReport.model_validate(
            {**document.content, "id": document.id, "version": document.version}
        )
    except ValidationError as faults:
        keys = ", ".join(sorted({str(fault["loc"][0]) for fault in faults.errors() if fault["loc"]}))
        where = f"{FOLDER}/{document.id}/{document.version}.json"
        raise ConfigError(f"{where}: is no saved report; look at {keys}") from None
