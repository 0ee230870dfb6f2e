"""Invocations of a Function URL or an HTTP API, answered one after another by the receiver's app."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from apig_wsgi import make_lambda_handler

from connector.aws.figures import Figures
from connector.aws.outcomes import Outcomes
from connector.aws.secrets import Secrets
from connector.config import Settings, load_settings
from connector.errors import ConfigError
from connector.wiring import make_app
from connector.wiring.aws import make_firehose_journal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from connector.receive.journal_port import Journal

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 6 * 1024 * 1024
"""Lambda refuses larger requests before our code runs; so a body stays in memory, and unpacks to no more."""
_THREADS = 2
_TRY_AGAIN: Mapping[str, Any] = MappingProxyType(
    {
        "statusCode": 503,
        "headers": {"content-type": "application/json", "retry-after": "5"},
        "body": json.dumps(
            {"code": "internal", "message": "something failed on our side; nothing was acknowledged"}
        ),
        "isBase64Encoded": False,
    }
)


class Receiver:
    """
    The app of one Lambda process. Not for several threads: Lambda sends one event at a time.

    Limits of a source's write keys are those of one process, shared out among ``workers`` of them.
    """

    def __init__(self, settings: Settings, journal: Journal, secrets: Secrets, figures: Figures) -> None:
        """
        Raises:
            ConfigError: two sources have the same write key.
        """
        self._settings = within_lambda(settings)
        self._journal = journal
        self._secrets = secrets
        self._figures = figures
        self._outcomes = Outcomes(figures)
        self._ask = self._make()

    def answer(self, event: dict[str, Any], context: object) -> Mapping[str, Any]:
        """
        Answer an event in the payload format 2.0 (or 1.0) with what its HTTP request gets.

        Never raises: an event that is no request, and any error nobody foresaw, is 503, so that the sender
        comes again.
        """
        try:
            self._renew()
            return self._ask(event, context)
        except Exception as error:
            self._figures.add("CannotKeep")
            _log_unforeseen(error)
            return dict(_TRY_AGAIN)
        finally:
            self._outcomes.settle()
            self._figures.emit()

    def _renew(self) -> None:
        """After a rotation the app is made anew; where it cannot be, the one that works goes on."""
        if self._secrets.renew():
            try:
                self._ask = self._make()
            except ConfigError as trouble:
                log.error("the secrets that were fetched cannot be used: %s", trouble)

    def _make(self) -> Callable[[dict[str, Any], object], Mapping[str, Any]]:
        app = make_app(self._settings, self._journal, self._outcomes)
        handle: Callable[[dict[str, Any], object], Mapping[str, Any]] = make_lambda_handler(_whole(app))
        return handle


def make_receiver() -> Receiver:
    """
    The receiver as the environment configures it: secrets fetched, clients made.

    Raises:
        ConfigError: the configuration is wrong, or names no stream or no source: anybody can reach a Lambda's
            address, so it never takes everything as a receiver on one's own machine may.
    """
    settings = load_settings()
    if not settings.sources:
        raise ConfigError("sources: none is configured, and everybody can reach this receiver")
    secrets = Secrets.of_environment()
    secrets.begin()
    for missing in settings.missing_secrets():
        log.warning("source %s is not set: requests that need it are answered 503 until it is", missing)
    return Receiver(settings, make_firehose_journal(settings), secrets, Figures("receiver"))


def within_lambda(settings: Settings) -> Settings:
    """The same settings with limits that a Lambda can keep: nothing is spooled, one request at a time."""
    body_bytes = min(settings.max_body_bytes, MOST_BODY_BYTES)
    return settings.model_copy(
        update={"max_body_bytes": body_bytes, "spool_bytes": body_bytes, "threads": _THREADS}
    )


def _whole(app: WSGIApplication) -> WSGIApplication:
    """An event holds the whole body, whatever a header says of chunks: its end is the body's end."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input_terminated"] = True
        return app(environ, start_response)

    return answer


def _log_unforeseen(error: Exception) -> None:
    """Type and place, never the text, which may be data."""
    places = (f"{place.filename}:{place.lineno} {place.name}" for place in _steps(error))
    log.error("an event failed with %s at %s", type(error).__name__, " < ".join(places))


def _steps(error: Exception) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__)
