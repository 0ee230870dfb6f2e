"""A page with Segment's SDK for browsers, served on loopback, and a headless Chromium that opens it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sdk.install import DEFAULT_FOLDER, node_sdks
from system.service import HOST

_BUILD = node_sdks(DEFAULT_FOLDER) / "node_modules/@segment/analytics-next/dist/umd"
_SCRIPTS = {"/package.js": _BUILD / "index.js", "/analytics.min.js": _BUILD / "standalone.js"}
_PAGE = Path(__file__).parent / "drivers" / "shop.html"
_CHROMIUM = """
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --no-proxy-server
    --disable-background-networking --disable-component-update --disable-sync --enable-logging=stderr
""".split()
_EXIT_SECONDS = 20.0


class ShopPage(ThreadingHTTPServer):
    """Serves the page and its scripts, and takes its reports."""

    daemon_threads = True

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """``settings``: what the page finds as ``shop``; see there."""
        super().__init__((HOST, 0), _Handler)
        self.html = _PAGE.read_text().replace("/*SETTINGS*/{}", json.dumps(settings).replace("<", "\\u003c"))
        self.report: dict[str, list[str]] = {"errors": [], "asked": []}
        """The latest word of the page: its errors, and the address of everything it has asked for."""

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ShopPage

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer("text/html", self.server.html.encode())
        elif self.path in _SCRIPTS:
            self._answer("text/javascript", _SCRIPTS[self.path].read_bytes())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer("text/plain", b"")

    def _answer(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The test tells what matters."""


@contextmanager
def serving(page: ShopPage) -> Iterator[ShopPage]:
    server = threading.Thread(target=page.serve_forever, kwargs={"poll_interval": 0.05})
    server.start()
    try:
        yield page
    finally:
        page.shutdown()
        server.join()
        page.server_close()


@contextmanager
def opened(page: ShopPage, profile: Path) -> Iterator[Path]:
    """Open the page in a browser with a new profile; yields the file that holds what the browser says."""
    log = profile.with_suffix(".log")
    with log.open("wb") as said:
        command = [*_CHROMIUM, f"--user-data-dir={profile}", page.origin]
        browser = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        yield log
    finally:
        browser.terminate()
        try:
            browser.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait(_EXIT_SECONDS)
