"""Glue knows the tables as they are declared, and finds the files of a day where the writer puts them."""

from __future__ import annotations

from infra.template_reading import PARAMETERS, RESOURCES, TEXT, of_type

from connector.infra import yaml_tags
from connector.infra.glue import DAYS_AHEAD, HIVE_TYPES, RAW_SUFFIX, hive_type
from connector.infra.template import render
from connector.tables import EVENTS, TABLES
from connector.tables.layout import FIRST_DAY
from connector.tables.model import Column


def test_every_table_has_its_columns_in_order_and_ends_with_no_partition_in_the_file():
    found = {
        each["TableInput"]["Name"]: [
            column["Name"] for column in each["TableInput"]["StorageDescriptor"]["Columns"]
        ]
        for each in of_type("AWS::Glue::Table").values()
    }

    assert found == {
        f"{table.name}{RAW_SUFFIX}": [column.name for column in table.columns] for table in TABLES
    }


def test_the_projection_begins_with_the_first_day_of_the_layout_and_ends_after_tomorrow():
    assert PARAMETERS["FirstDay"]["Default"] == FIRST_DAY.isoformat()
    for each in of_type("AWS::Glue::Table").values():
        parameters = each["TableInput"]["Parameters"]
        assert parameters["projection.day.range"] == {"Fn::Sub": f"${{FirstDay}},NOW+{DAYS_AHEAD}DAYS"}
        assert parameters["projection.enabled"] == "true"
        assert each["TableInput"]["PartitionKeys"] == [
            {"Name": "day", "Type": "date", "Comment": "UTC date of timestamp"}
        ]


def test_the_location_of_a_day_is_where_the_writer_puts_it():
    table = RESOURCES["EventsTable"]["Properties"]["TableInput"]

    assert table["Parameters"]["storage.location.template"] == {
        "Fn::Sub": "s3://${DataBucket}/lake/tables/events/day=${!day}/"
    }
    assert RESOURCES["EventsTable"]["Properties"]["TableInput"]["StorageDescriptor"]["Location"] == {
        "Fn::Sub": "s3://${DataBucket}/lake/tables/events/"
    }


def test_types_are_those_of_hive():
    assert HIVE_TYPES["T"] == "timestamp"
    assert (hive_type("M"), hive_type("Q")) == ("decimal(18,6)", "decimal(19,3)")
    assert hive_type("F") == "array<struct<code:string,path:string>>"
    assert hive_type("P").startswith("array<struct<product_id:string,sku:string,")


def test_comments_of_columns_fit_into_glue():
    for each in of_type("AWS::Glue::Table").values():
        for column in each["TableInput"]["StorageDescriptor"]["Columns"]:
            assert len(column.get("Comment", "").encode()) <= 255


def test_a_promoted_column_comes_behind():
    columns = (Column("gift_note", "S", "What the giver wrote"), Column("points", "L", "ö" * 300))
    promoted = yaml_tags.load(render(TEXT, [EVENTS.with_columns(columns)]))["Resources"]

    *_, note, points = promoted["EventsTable"]["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]
    assert note == {"Name": "gift_note", "Type": "string", "Comment": "What the giver wrote"}
    assert (points["Type"], points["Comment"]) == ("bigint", "ö" * 127)
    assert "ProfilesTable" not in promoted
