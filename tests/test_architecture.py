"""Data flows one way through the folders, and what decides is pure: the picture, checked."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "connector"
MODULES = {
    ".".join(("connector", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}

VALUES = {"events", "errors", "jsontext", "nearest"}
MAY_IMPORT = {
    "events": set(),
    "errors": set(),
    "nearest": set(),
    "json_text": {"events"},
    "jsontext": {"events"},
    "objects": set(),
    "tables": VALUES,
    "values": VALUES | {"tables"},
    "schemas": VALUES,
    "validate": VALUES | {"schemas"},
    "mapping_secrets": VALUES | {"mapping"},
    "mapping_files": VALUES | {"mapping_secrets"},
    "tracking_plan": VALUES | {"schemas"},
    "mapping": VALUES,
    "mixpanel": VALUES | {"mapping", "values"},
    "actions": VALUES | {"values", "tables", "mapping", "mixpanel"},
    "pipeline": VALUES | {"actions", "validate", "tables"},
    "cases": VALUES | {"tables", "values"},
    "receive": VALUES,
    "s3": VALUES | {"objects"},
    "journal": VALUES | {"s3"},
    "write": VALUES | {"tables", "values", "objects"},
    "replay": VALUES | {"pipeline", "journal", "write"},
    "sample": VALUES,
    "lake": {"tables", "errors", "events", "schemas", "write", "s3"},
    "reconcile": VALUES | {"pipeline", "journal", "lake", "values", "s3"},
    "compaction": VALUES | {"tables", "write", "lake", "s3"},
    "prepared": VALUES | {"tables", "write", "lake", "s3", "objects"},
    "redrive": VALUES | {"pipeline", "replay", "tables", "values", "write"},
    "rerun": VALUES | {"compaction", "lake", "tables", "write"},
    "report": VALUES | {"tables", "lake", "prepared", "write", "s3"},
    "saved": VALUES | {"json_text", "objects", "options", "report"},
    "cohorts": VALUES | {"json_text", "options", "report", "saved", "tables"},
    "infra": VALUES | {"tables", "options", "schemas", "report", "lake"},
    "options": set(),
    "yaml_text": set(),
    "config": {"events", "errors", "nearest", "tables", "options", "yaml_text"},
}
"""Part of ``connector`` -> what it may import of the rest. A part that is not listed is an entry point."""
ENTRIES = {"cli", "wsgi", "serve", "writer", "janitor", "rounds", "commands", "wiring", "aws"}
PURE = (
    "events errors jsontext nearest json_text yaml_text tables values validate tracking_plan "
    "mapping_secrets mapping_files mapping "
    "mixpanel actions pipeline cases"
).split()
EFFECTS = {"os", "time", "random", "logging", "socket", "subprocess", "threading", "flask", "boto3", "duckdb",
           "pyarrow", "pathlib"}  # fmt: skip
TABLE_LIBRARIES = {"pyarrow", "duckdb", "numpy", "scipy", "altair", "pyspark", "polars"}


def imports_of(path: Path, *, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def attributes_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def part_of(module: str) -> str | None:
    steps = module.split(".")
    return steps[1] if steps[0] == "connector" and len(steps) > 1 else None


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) in MAY_IMPORT])
def test_imports_point_towards_the_values(module: str):
    part = part_of(module)
    others = {other for name in imports_of(MODULES[module]) if (other := part_of(name)) and other != part}
    allowed = MAY_IMPORT[part] | {"__version__"}
    assert others <= allowed


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) in PURE])
def test_what_decides_has_no_effects(module: str):
    roots = {name.split(".")[0] for name in imports_of(MODULES[module])}
    assert not roots & EFFECTS


@pytest.mark.parametrize("module", MODULES)
def test_only_entry_points_wire(module: str):
    wires = "connector.wiring" in imports_of(MODULES[module])
    assert not wires or part_of(module) in ENTRIES


def test_nothing_outside_the_edges_reads_the_environment():
    readers = {part_of(module) for module, path in MODULES.items() if "environ" in attributes_of(path)}
    assert readers <= {"config", "cli_options", "commands", "serve", "receive", "aws"}


@pytest.mark.parametrize(
    ("entry", "unwanted"),
    [
        ("connector.wsgi", TABLE_LIBRARIES),
        ("connector.aws.invocations", TABLE_LIBRARIES | {"granian", "jsonschema", "jsonschema_rs"}),
    ],
)
def test_the_receiver_pays_for_no_table_library(entry: str, unwanted: set[str]):
    """What granian or Lambda loads, followed through imports made at the top of modules."""
    seen: set[str] = set()
    waiting = [entry]
    outside: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or module not in MODULES:
            continue
        seen.add(module)
        for name in imports_of(MODULES[module], top_only=True):
            waiting.append(name)
            outside.add(name.split(".")[0])
    assert entry in seen
    assert not outside & unwanted


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_a_god_file(module: str):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 400
