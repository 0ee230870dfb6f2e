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
const root = document.documentElement;
function measure() { root.dataset.overflow = String(root.scrollWidth - root.clientWidth); }
measure();
new MutationObserver(measure).observe(root, {attributes: true, attributeFilter: ["data-drawn"]});
</script>
"""


class Shown(NamedTuple):
    """What the browser made of a page."""

    dom: str
    console: list[str]


def is_installed() -> bool:
    return shutil.which("chromium") is not None


def show(html: str, folder: Path, width: int = 1_200, *, dark: bool = False) -> Shown:
    """Open a page in a browser with a new profile."""
    page = folder / "page.html"
    head, _, tail = html.rpartition("</body>")
    page.write_text(f"{head}{_PROBE}</body>{tail}", encoding="utf-8")
    command = [
        *_CHROMIUM,
        f"--window-size={width},2000",
        f"--user-data-dir={folder / 'profile'}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=90, check=True)
    said = done.stderr.decode(errors="replace")
    return Shown(done.stdout.decode(), re.findall(r"CONSOLE.*", said))
