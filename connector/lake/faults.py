"""Files that cannot be read while a query runs, as errors of one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.errors import ConnectorError

_OF_A_FILE = ("reading the stream registered as", "Parquet file", "No magic bytes found")
"""How DuckDB 2.0 says, in an ``InvalidInputException``, what pyarrow or itself has met in a file."""


class LakeUnreadable(ConnectorError):
    """A file of the lake could not be read: the network, the credentials, the disk, or the file itself."""

    code = "lake_unreadable"
    retryable = True


@contextmanager
def lake_errors(uri: str) -> Iterator[None]:
    """Raise what DuckDB and pyarrow say of files as ``LakeUnreadable``.

    What is wrong with a query passes, and so does a reader of our output that is gone.

    Args:
        uri: of the data folder, for people.
    """
    import duckdb
    import pyarrow

    try:
        yield
    except BrokenPipeError:
        raise
    except (duckdb.IOException, OSError, pyarrow.ArrowException) as trouble:
        raise _unreadable(uri, trouble) from None
    except duckdb.Error as trouble:
        if not any(text in str(trouble) for text in _OF_A_FILE):
            raise
        raise _unreadable(uri, trouble) from None


def _unreadable(uri: str, trouble: Exception) -> LakeUnreadable:
    lines = str(trouble).splitlines() or [type(trouble).__name__]
    return LakeUnreadable(f"while reading {uri}: {lines[0]}")
