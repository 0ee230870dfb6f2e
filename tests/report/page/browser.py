"""A page as Debian's Chromium shows it: its document after the scripts ran, and what the console said."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

_CHROMIUM = """
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --enable-logging=stderr --virtual-time-budget=15000 --dump-dom
""".split()
_PROBE = """
<script type="module">
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
new MutationObserver(() => {
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.documentElement.dataset.overflow = String(Math.max(wide, wider));
}).observe(document.documentElement, {attributes: true, attributeFilter: ["data-drawn"]});
</script>
"""


class Shown(NamedTuple):
    """What the browser made of a page."""

    dom: str
    console: list[str]
    asked: list[str]
    """Addresses that the page asked for, beside its own."""


def is_installed() -> bool:
    return shutil.which("chromium") is not None


def show(html: str, folder: Path, width: int = 1_200, *, dark: bool = False) -> Shown:
    """Open a page in a browser with a new profile."""
    page = folder / "page.html"
    page.write_text(html.replace("</body>", f"{_PROBE}</body>"), encoding="utf-8")
    net = folder / "net.json"
    command = [
        *_CHROMIUM,
        f"--window-size={width},2000",
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={net}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=90, check=True)
    said = done.stderr.decode(errors="replace")
    asked = re.findall(r'"url":"(https?://[^"]+)"', net.read_text(errors="replace"))
    return Shown(done.stdout.decode(), re.findall(r"CONSOLE.*", said), asked)
