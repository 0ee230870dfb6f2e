"""Everything raised on purpose. The class knows the code, the HTTP status and whether a retry can help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ConnectorError(Exception):
    """Base of every error that a caller may show to a person as it is."""

    code = "error"
    status = 500
    retryable = False

    @property
    def message(self) -> str:
        return str(self)


class ConfigError(ConnectorError):
    """The process must not start: settings, schemas or mappings are wrong."""

    code = "config"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a mapping: where it lies and what is wrong."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path} {self.text}" if self.path else self.text


class MappingError(ConfigError):
    """A mapping is invalid (every fault at once) or a directive failed on a payload."""

    code = "mapping"

    def __init__(self, faults: str | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (Fault("", faults),) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RequestRefused(ConnectorError):
    """A request that will never be wanted: Segment drops what gets a 4xx."""

    code = "refused"
    status = 400


class SignatureMismatch(RequestRefused):
    code = "signature_mismatch"
    status = 401


class SignatureMissing(RequestRefused):
    code = "signature_missing"
    status = 401


class UnknownWriteKey(RequestRefused):
    """No source has this write key. An SDK drops what gets this answer."""

    code = "unknown_write_key"
    status = 401


class TooManyEvents(RequestRefused):
    """A public write key brings more than its source may: the sender is asked to come again."""

    code = "rate_limited"
    status = 429
    retryable = True

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BodyIncomplete(RequestRefused):
    """The sender stopped before the end: what came is a part and must never pass for the whole."""

    code = "body_incomplete"
    status = 400


class BodyTooLarge(RequestRefused):
    code = "body_too_large"
    status = 413


class BodyNotJson(RequestRefused):
    code = "body_not_json"
    status = 400


class CannotKeep(ConnectorError):
    """Our own trouble: nothing was acknowledged, the sender should try again."""

    code = "cannot_keep"
    status = 503
    retryable = True

    def __init__(self, message: str, *, code: str = "cannot_keep", retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class LedgerError(ConnectorError):
    """The ledger or the files beside it are not what they must be."""

    code = "ledger"


class Busy(ConnectorError):
    """Another process holds the data folder; the message names it."""

    code = "busy"
    retryable = True


class StoreError(ConnectorError):
    """The object store refused, or could not be reached. The message names the operation, never a key."""

    code = "store_unavailable"
    status = 503
    retryable = True

    def __init__(self, message: str, *, code: str = "store_unavailable", retryable: bool = True) -> None:
        """``code``: ``store_unavailable`` (try again), ``store_forbidden``, ``store_missing`` (no bucket) or
        ``store_unsuitable`` (it does not do what is needed of it)."""
        super().__init__(message)
        self.code = code
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        return _store_error, (str(self), self.code, self.retryable)


def _store_error(message: str, code: str, retryable: bool) -> StoreError:
    return StoreError(message, code=code, retryable=retryable)
