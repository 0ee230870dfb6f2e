"""``connector sql`` has the views of events too, and makes those that a statement names."""

from __future__ import annotations

from pathlib import Path

import pytest
from system.service import Lake

from connector.lake.event_views import event_view_names

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("sql"))
    path = lake.folder / "events.ndjson"
    path.write_bytes(
        b'{"type":"track","event":"Cart Viewed","messageId":"m1","properties":{"cart_id":"c1"}}\n'
        b'{"type":"track","event":"Order Completed","messageId":"m2","properties":{"order_id":"o1",'
        b'"revenue":25,"currency":"EUR","products":[{"sku":"s","price":25}]}}\n'
    )
    lake.ok("replay", str(path))
    return lake


def test_a_view_of_an_event_is_there_when_it_is_named(lake: Lake):
    said = lake.ok("sql", "SELECT order_id, order_revenue, line_count FROM Order_Completed")

    assert said == "order_id\torder_revenue\tline_count\no1\t25.000000\t1\n"


def test_views_of_events_are_made_once_for_all_statements_and_listed(lake: Lake):
    said = lake.ok(
        "sql", stdin=b"SELECT count(*) AS n FROM cart_viewed; FROM cart_viewed LIMIT 0; SHOW TABLES"
    )

    assert said.startswith("n\n1\nrow_id\t")
    assert event_view_names() <= set(said.split())


def test_a_view_of_ones_own_may_have_the_name_and_says_nothing_when_it_is_made(lake: Lake):
    said = lake.ok(
        "sql",
        stdin=b"CREATE VIEW order_completed AS SELECT message_id AS id FROM events WHERE line_index IS NULL "
        b"AND event = 'Order Completed'; SELECT id FROM order_completed; SELECT cart_id FROM cart_viewed",
    )

    assert said == "id\nm2\ncart_id\nc1\n"


def test_a_view_of_an_event_shows_one_source_where_one_is_asked_for(lake: Lake):
    said = lake.ok("sql", "--source", "other", "SELECT count(*) AS n FROM order_completed")

    assert said == "n\n0\n"


def test_a_lake_without_a_file_has_the_views_too(tmp_path: Path):
    lake = Lake(tmp_path)
    lake.data.mkdir()

    assert lake.ok("sql", "SELECT count(*) AS n FROM product_viewed") == "n\n0\n"
