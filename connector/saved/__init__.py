"""Small files that people keep beside the data, in versions: saved reports, annotations, cohorts."""

from connector.saved.annotations import Annotation, Annotations
from connector.saved.documents import Conflict, Document, Documents
from connector.saved.files import Files, FolderFiles
from connector.saved.lease import Lease, LeaseLost
from connector.saved.names import slug_of
from connector.saved.reports import SavedReport, SavedReports

__all__ = [
    "Annotation", "Annotations", "Conflict", "Document", "Documents", "Files", "FolderFiles", "Lease",
    "LeaseLost", "SavedReport", "SavedReports", "slug_of",
]  # fmt: skip
