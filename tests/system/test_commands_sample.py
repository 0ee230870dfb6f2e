"""``connector sample`` as a process, and its store all the way into the tables."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from system.service import Lake

from connector.sample import sample_events, store_events

pytestmark = pytest.mark.slow

FUNNEL = """
WITH links AS (
    SELECT anonymous_id, arg_min(user_id, timestamp) AS linked
    FROM (SELECT anonymous_id, user_id, timestamp FROM events
          UNION ALL SELECT anonymous_id, user_id, timestamp FROM profiles)
    WHERE user_id IS NOT NULL GROUP BY ALL
), found AS (
    SELECT coalesce(user_id, linked, anonymous_id) AS uid, event, category, timestamp
    FROM events LEFT JOIN links USING (anonymous_id)
), entries AS (
    SELECT uid, category, min(timestamp) AS entry FROM found WHERE event = 'Product Viewed' GROUP BY ALL
), bought AS (
    SELECT uid, category, timestamp FROM found WHERE event = 'Product Purchased'
)
SELECT entries.category, count(DISTINCT entries.uid), count(DISTINCT bought.uid)
FROM entries LEFT JOIN bought ON bought.uid = entries.uid AND bought.category = entries.category
    AND timestamp BETWEEN entry - INTERVAL 2 SECOND AND entry + INTERVAL 7 DAY
WHERE entries.category IN ('Home Supplies', 'Entertainment') GROUP BY ALL ORDER BY ALL
"""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def ndjson(messages: list[dict[str, object]]) -> str:
    return b"".join(orjson.dumps(message) + b"\n" for message in messages).decode()


def test_the_store_is_replayed_without_a_loss_and_the_tables_give_its_figures(lake: Lake) -> None:
    path = lake.folder / "store.ndjson"
    path.write_text(lake.ok("sample", "--people", "1000", "--seed", "21"))
    messages = list(store_events(people=1_000, seed=21))
    unique = {message["messageId"]: message for message in messages}.values()
    orders = [message["properties"] for message in unique if message.get("event") == "Order Completed"]
    identified = sum(message["type"] == "identify" for message in unique)

    lake.ok("replay", str(path))

    assert lake.fates() == {"stored": len(unique), "duplicate": len(messages) - len(unique)}
    lines = sum(len(order["products"]) for order in orders)
    assert lake.query("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM profiles)") == [
        (len(unique) - identified + lines, identified)
    ]
    assert lake.query("SELECT count(DISTINCT message_id) FROM duplicates") == [(len(messages) - len(unique),)]
    assert lake.query("SELECT count(*) FROM events WHERE len(flags) > 0") == [(0,)]

    assert lake.query(FUNNEL) == [("Entertainment", 340, 135), ("Home Supplies", 445, 180)]
    assert [str(mean) for (mean,) in lake.query(
        "SELECT (sum(price) / count(*))::DECIMAL(9, 2) FROM order_lines "
        "WHERE category IN ('Home Supplies', 'Entertainment') GROUP BY category ORDER BY category"
    )] == ["460.50", "461.20"]  # fmt: skip


def test_the_promotion_adds_its_days_and_nothing_else(lake: Lake) -> None:
    said = lake.ok("sample", "--people", "1", "--days", "31", "--promotion")

    assert said == ndjson(list(store_events(people=1_000, days=31, promotion=True)))
    assert said.startswith(lake.ok("sample", "--people", "1", "--days", "31"))


def test_with_a_number_of_events_it_is_the_traffic(lake: Lake) -> None:
    assert lake.ok("sample", "--events", "30") == ndjson(list(sample_events(events=30)))
    assert lake.ok("sample", "--events", "0") == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--events", "5", "--people", "1000"], b"give one"),
        (["--events", "5", "--promotion"], b"give one"),
        (["--duplicates", "0.1"], b"--duplicates goes with --events"),
        (["--days", "29"], b"the store needs --days 30 or more"),
    ],
)
def test_options_of_the_store_and_of_the_traffic_do_not_mix(
    lake: Lake, options: list[str], said: bytes
) -> None:
    ran = lake.run("sample", *options)

    assert (ran.returncode, ran.stdout) == (2, b"")
    assert said in ran.stderr
