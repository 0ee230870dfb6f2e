"""The README is code: its blocks run, and what they print is what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from connector import reference
from connector.actions import compile_destination
from connector.config import Settings, load_settings
from connector.mapping import compile_mapping

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
NOT_RUN_HERE = {"make test": "runs this very suite"}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def commands_of(block: str) -> list[tuple[str, str]]:
    """``$ command`` lines, each with what follows up to the next."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1]) for part in parts]


def shape(text: str) -> list[str]:
    """Lines with numbers and widths taken out: ports, times, rates and counts of files vary."""
    lines = re.sub(r"\d[\d,.]*", "N", text).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would type the commands: the checkout's files, and room for new ones."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("examples", "mappings"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONNECTOR_", "MAKE"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment, timeout=120, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_the_first_two_commands_are_make_demo_and_make_test():
    assert [commands_of(block)[0][0] for block in blocks("console")[:2]] == ["make demo", "make test"]


def test_make_demo_prints_what_the_readme_shows(folder: Path, environment: dict[str, str]):
    (_, printed), *_ = commands_of(blocks("console")[0])
    installed = f"-o {sys.prefix}/.runtime VENV={sys.prefix}"
    command = f"make -s -C {ROOT} {installed} DATA={folder}/demo-data demo"

    done = run(command, folder, environment)

    assert done.returncode == 0, done.stdout
    shown = done.stdout.replace(f"{folder}/", "")
    assert shape(shown) == shape(printed)


def test_the_console_blocks_print_what_they_show(folder: Path, environment: dict[str, str]):
    """One after the other, as a reader would type them."""
    for block in blocks("console")[2:]:
        for command, printed in commands_of(block):
            done = run(command, folder, environment)
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            assert shape(done.stdout) == shape(printed), command


def test_the_python_blocks_run(folder: Path, environment: dict[str, str]):
    (folder / "block.py").write_text("\n".join(blocks("python")) + "\nprint(rows.fetchall()[0][1] > 100)\n")
    sample = "connector sample --events 2000 > p.ndjson && connector replay p.ndjson && python block.py"

    done = run(sample, folder, environment)

    assert done.stdout.splitlines()[-1:] == ["True"], done.stdout


def test_the_configuration_blocks_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = next(text for text in blocks("yaml") if text.startswith("# connector.yaml"))
    (tmp_path / "connector.yaml").write_text(text)
    monkeypatch.setenv("CONNECTOR_CONFIG", str(tmp_path / "connector.yaml"))

    assert list(load_settings().sources) == ["web"]


def test_the_sample_configuration_loads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONNECTOR_CONFIG", str(ROOT / "examples" / "connector.yaml"))

    settings = load_settings()

    assert list(settings.sources) == ["web", "server"]
    assert settings.missing_secrets() == [
        "web: env:WEB_SECRET",
        "web: env:WEB_HEADER",
        "web: env:WEB_WRITE_KEY",
        "server: env:SERVER_SECRET",
    ]


def test_the_mapping_block_compiles():
    text = next(text for text in blocks("yaml") if text.startswith("# mapping"))

    store = compile_destination(yaml.safe_load(text))

    properties = {"order_id": "o-1", "coupon": "spring", "products": [{"sku": "a"}], "affiliation": "Shop"}
    event = {"type": "track", "event": "Order Completed", "userId": "u", "properties": properties,
             "context": {"app": {"name": "Kiosk"}}}  # fmt: skip
    rows = [item["row"] for item in store(event)]
    assert [(row["event"], row.get("channel"), row.get("coupon")) for row in rows] == [
        ("Order Completed", "Kiosk", "SPRING"),
        ("Product Purchased", "Kiosk", None),
    ]


def test_the_names_the_readme_calls_public_are_there():
    assert callable(compile_mapping)
    assert callable(compile_destination)


def test_every_link_of_the_readme_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_pages_are_printed_from_the_declarations(name: str):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference.pages()[name]


def test_the_settings_table_is_printed_from_the_declarations():
    assert reference.with_settings(README) == README


def test_every_setting_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
