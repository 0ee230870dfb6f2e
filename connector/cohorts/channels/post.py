"""One POST over HTTP: verified TLS, no redirects, bounded answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

CONNECT_SECONDS = 5.0
_MOST_BYTES = 65_536
_LONGEST_WAIT_SECONDS = 3_600.0


class Answered(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    """At most 64 KiB of it."""
    retry_after_seconds: float


class Unanswered(Exception):
    """No answer: nobody can tell whether it arrived. The text names the kind of trouble, not the address."""


class Poster:
    """Posts to one address. Connections are kept between posts; ``close`` ends them."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        import urllib3

        self._url = url
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, timeout_seconds), read=timeout_seconds),
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Raises ``Unanswered``: the connection failed, broke, or was too slow."""
        import urllib3

        try:
            answer = self._pool.request(
                "POST", self._url, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
            try:
                content = answer.read(_MOST_BYTES, decode_content=True)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as trouble:
            raise Unanswered(type(trouble).__name__) from None
        return Answered(answer.status, content, _seconds(answer.headers.get("Retry-After")))

    def close(self) -> None:
        self._pool.clear()


def _seconds(retry_after: str | None) -> float:
    """Whole seconds; a date is taken for none."""
    digits = (retry_after or "").strip()
    return min(float(digits), _LONGEST_WAIT_SECONDS) if digits.isascii() and digits.isdigit() else 0.0
