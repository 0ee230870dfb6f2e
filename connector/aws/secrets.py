"""
Secrets from Secrets Manager and Parameter Store, into the environment: there ``env:NAME`` finds them.

``CONNECTOR_SECRETS`` names them, separated by commas:

| reference | what it sets |
|---|---|
| ``secretsmanager:<arn or name>`` | each key of the secret's JSON object |
| ``secretsmanager:<arn or name>#NAME`` | ``NAME``, to the whole text of the secret |
| ``ssm:/some/path/NAME`` | ``NAME``, to the parameter's value |

No value is ever logged. A variable that somebody else has set is left alone.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from connector.errors import ConfigError
from connector.s3.client import new_session

log = logging.getLogger(__name__)

RENEW_SECONDS = 300.0
"""After so long the secrets are fetched again: a rotated one needs no deployment."""
AGAIN_SECONDS = 10.0
"""The shortest time between two fetches of which the first failed."""
_CONNECT_SECONDS = 0.5
_READ_SECONDS = 1.0
_TRIES_AT_START = 2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ERROR_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")


class Reference(NamedTuple):
    """One secret to be fetched."""

    service: str
    """``secretsmanager`` or ``ssm``, as botocore names it."""
    key: str
    """ARN, name or path."""
    name: str | None
    """The variable; None: the secret is a JSON object and names them itself."""

    def __str__(self) -> str:
        return f"{self.service}:{self.key}"


class _Unusable(Exception):
    """A secret that was not to be had, or is none. The text holds no value."""


class _Silence(_Unusable):
    """Nobody answered, which took time."""


def read_references(text: str) -> tuple[Reference, ...]:
    """
    Read the value of ``CONNECTOR_SECRETS``.

    Raises:
        ConfigError: an entry is none of the three kinds, or what should be a variable's name is not one.
    """
    return tuple(_reference(entry.strip()) for entry in text.split(",") if entry.strip())


def _reference(entry: str) -> Reference:
    service, _, rest = entry.partition(":")
    if service == "secretsmanager":
        key, sharp, name = rest.partition("#")
        found = Reference(service, key, name if sharp else None)
    else:
        found = Reference(service, rest, rest.rpartition("/")[2])
    if service not in ("secretsmanager", "ssm") or not found.key:
        raise ConfigError("CONNECTOR_SECRETS: an entry is secretsmanager:NAME, secretsmanager:NAME#VARIABLE "
                          "or ssm:/PATH/VARIABLE")  # fmt: skip
    if found.name is not None and not _NAME.fullmatch(found.name):
        raise ConfigError(f"CONNECTOR_SECRETS: {found} ends with no name of a variable")
    return found


class Secrets:
    """The secrets of one process. Used by one thread at a time, as Lambda does."""

    def __init__(
        self,
        references: tuple[Reference, ...],
        *,
        environ: MutableMapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Nothing is fetched yet.

        Args:
            environ: where the values go.
            clock: seconds. The wall clock: between two invocations a process may be frozen, and a clock that
                stands still meanwhile would keep old secrets for long.
        """
        self._references = references
        self._environ = environ
        self._clock = clock
        self._theirs = frozenset(environ)
        self._values: dict[Reference, Mapping[str, str]] = {}
        self._published: frozenset[str] = frozenset()
        self._clients: dict[str, Any] = {}
        self._next = self._fetched = float("-inf")

    @classmethod
    def of_environment(cls) -> Secrets:
        """Those that ``CONNECTOR_SECRETS`` names; none when it is not set. Raises ``ConfigError``."""
        return cls(read_references(os.environ.get("CONNECTOR_SECRETS", "")))

    def begin(self) -> None:
        """Fetch at the start of the process, twice if need be. What fails is logged and tried again later."""
        for _ in range(_TRIES_AT_START):
            self._fetch_each([each for each in self._references if each not in self._values])
        self._publish()

    def renew(self) -> bool:
        """
        Fetch again when it is time to, and say whether a variable has changed.

        Where fetching fails the old values stay. It stops where nobody answers, so that a request waits for
        one time-out at most; what was never fetched comes first.
        """
        now = self._clock()
        if not self._references or self._fetched <= now < self._next:
            return False
        self._fetch_each(sorted(self._references, key=self._values.__contains__), patient=False)
        return self._publish()

    def _fetch_each(self, references: list[Reference], *, patient: bool = True) -> None:
        if not references:
            return
        self._fetched = self._clock()
        self._next = self._fetched + RENEW_SECONDS
        for reference in references:
            try:
                self._values[reference] = self._fetch(reference)
            except _Unusable as trouble:
                log.error("secret %s cannot be used: %s", reference, trouble)
                self._next = self._fetched + AGAIN_SECONDS
                if isinstance(trouble, _Silence) and not patient:
                    return

    def _fetch(self, reference: Reference) -> Mapping[str, str]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            text = self._text(reference)
        except ClientError as refused:
            code = refused.response.get("Error", {}).get("Code", "")
            raise _Unusable(code if _ERROR_CODE.fullmatch(code) else "refused") from None
        except (BotoCoreError, OSError) as broken:
            raise _Silence(type(broken).__name__) from None
        return _variables(text) if reference.name is None else _checked({reference.name: text})

    def _text(self, reference: Reference) -> str:
        client = self._client(reference.service)
        if reference.service == "ssm":
            return str(client.get_parameter(Name=reference.key, WithDecryption=True)["Parameter"]["Value"])
        text = client.get_secret_value(SecretId=reference.key).get("SecretString")
        if text is None:
            raise _Unusable("it is binary, not text")
        return str(text)

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = _make_client(service)
        return self._clients[service]

    def _publish(self) -> bool:
        """Bring the environment up to date: what is ours is set, changed or, when it is gone, unset."""
        wanted = {
            name: value
            for reference in self._references
            for name, value in self._values.get(reference, {}).items()
            if name not in self._theirs
        }
        changed = {name: value for name, value in wanted.items() if self._environ.get(name) != value}
        gone = self._published - wanted.keys()
        self._environ.update(changed)
        for name in gone:
            self._environ.pop(name, None)
        self._published = frozenset(wanted)
        return bool(changed or gone)


def _make_client(service: str) -> Any:
    from botocore.config import Config

    options = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return new_session().create_client(service, config=options)


def _variables(text: str) -> Mapping[str, str]:
    """The variables of a JSON object of texts."""
    try:
        found = json.loads(text)
    except ValueError:
        raise _Unusable("it is no JSON object; with #NAME behind it, it is the value of NAME") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _Unusable("it is no JSON object of texts")
    return _checked(found)


def _checked(variables: Mapping[str, str]) -> Mapping[str, str]:
    if not all(_NAME.fullmatch(name) for name in variables):
        raise _Unusable("one of its keys is no name of a variable")
    if not all(map(_may_be_set, variables.values())):
        raise _Unusable("a variable cannot hold it: it has a NUL or a lone surrogate in it")
    return variables


def _may_be_set(value: str) -> bool:
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
