"""``connector sql``: answers for people and scripts, exit codes that a script can trust."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from system.service import Lake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("sql"))
    path = lake.folder / "events.ndjson"
    path.write_bytes(
        b'{"type":"track","event":"Cart Viewed","messageId":"m1","properties":{"cart_id":"c\\t1"}}\n'
        b'{"type":"track","event":"Cart Viewed","messageId":"m2","properties":{}}\n'
    )
    lake.ok("replay", str(path))
    return lake


def test_an_answer_in_a_pipe_is_tab_separated_with_a_header(lake: Lake) -> None:
    said = lake.ok("sql", "SELECT message_id, cart_id, coupon FROM events ORDER BY message_id")

    assert said == 'message_id\tcart_id\tcoupon\nm1\t"c\t1"\t\nm2\t\t\n'


def test_statements_come_from_standard_input_and_a_semicolon_may_be_text(lake: Lake) -> None:
    said = lake.ok("sql", stdin=b"SELECT count(*) AS n FROM events; SELECT 'a;b' AS text;\n")

    assert said == "n\n2\ntext\na;b\n"


def test_a_statement_that_fails_fails_the_command_and_the_others_are_answered(lake: Lake) -> None:
    ran = lake.run("sql", stdin=b"SELECT nothing_like_it; SELECT 1 AS one;")

    assert (ran.returncode, ran.stdout) == (1, b"one\n1\n")
    assert b"nothing_like_it" in ran.stderr


def test_what_is_not_sql_fails_without_a_traceback(lake: Lake) -> None:
    ran = lake.run("sql", "SELEC 1")

    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"syntax error" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_reader_that_leaves_early_is_no_error(lake: Lake) -> None:
    query = lake.popen("sql", "SELECT * FROM range(2000000)", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert query.stdout is not None
    assert query.stderr is not None
    with query.stderr, query.stdout:
        assert query.stdout.readline() == b"range\n"
        query.stdout.close()
        complaint = query.stderr.read()

    assert (query.wait(30), complaint) == (0, b"")


def test_a_lake_without_a_file_answers_with_empty_tables(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.data.mkdir()

    assert lake.ok("sql", "SELECT count(*) AS n FROM orders") == "n\n0\n"


@pytest.mark.parametrize("command", [("sql", "FROM orders"), ("status",)], ids=lambda command: command[0])
def test_a_misspelt_data_folder_is_not_an_empty_lake(tmp_path: Path, command: tuple[str, ...]) -> None:
    ran = Lake(tmp_path).run(*command)

    assert ran.returncode == 2
    assert b"no such data folder" in ran.stderr
