"""The lake's tables as Glue knows them, from the declarations of all tables. Source: tables 2.1, 6.4.

Partitions are projected: no crawler runs and no partition is ever registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connector.infra.yaml_tags import Flow, Tagged
from connector.tables import STRUCT_FIELDS, Column, Table, TypeCode

HIVE_TYPES: Mapping[TypeCode, str] = {
    "S": "string",
    "T": "timestamp",
    "M": "decimal(18,6)",
    "Q": "decimal(19,3)",
    "I": "int",
    "L": "bigint",
    "D": "double",
    "B": "boolean",
    "LS": "array<string>",
    "J": "string",
}
RAW_SUFFIX = "_raw"
"""The plain names belong to the views that hold each row once."""
DAYS_AHEAD = 2
"""A sender's time may lie a day ahead of the arrival (tables 6.2), and a day begins before it does in UTC."""
_COMMENT_BYTES = 255
"""Of a column, at most: a limit of Glue."""
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def hive_type(code: TypeCode) -> str:
    """The type of a column for Athena, Hive and Glue: ``P`` -> ``array<struct<product_id:string,...>>``."""
    if code not in STRUCT_FIELDS:
        return HIVE_TYPES[code]
    fields = ",".join(f"{name}:{HIVE_TYPES[inner]}" for name, inner in STRUCT_FIELDS[code].items())
    return f"array<struct<{fields}>>"


def glue_tables(tables: Iterable[Table]) -> dict[str, Any]:
    """Resources of the template by logical id, one ``AWS::Glue::Table`` for each table.

    They refer to ``Database``, ``DataBucket`` and the parameter ``FirstDay``.
    """
    return {f"{table.name.capitalize()}Table": _resource(table) for table in tables}


def _resource(table: Table) -> dict[str, Any]:
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": Tagged("!Ref", "AWS::AccountId"),
            "DatabaseName": Tagged("!Ref", "Database"),
            "TableInput": {
                "Name": f"{table.name}{RAW_SUFFIX}",
                "Description": f"{table.meaning}; with copies",
                "TableType": "EXTERNAL_TABLE",
                "Parameters": _parameters(table),
                "PartitionKeys": [Flow(Name="day", Type="date", Comment="UTC date of timestamp")],
                "StorageDescriptor": {
                    "Location": Tagged("!Sub", _location(table)),
                    "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
                    "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
                    "SerdeInfo": {
                        "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
                        "Parameters": Flow({"serialization.format": "1"}),
                    },
                    "Columns": [_column(column) for column in table.columns],
                },
            },
        },
    }


def _parameters(table: Table) -> dict[str, Any]:
    return {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": Tagged("!Sub", f"${{FirstDay}},NOW+{DAYS_AHEAD}DAYS"),
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": Tagged("!Sub", f"{_location(table)}day=${{!day}}/"),
    }


def _location(table: Table) -> str:
    return f"s3://${{DataBucket}}/lake/tables/{table.name}/"


def _column(column: Column) -> Flow:
    comment = column.meaning.replace("`", "")
    while len(comment.encode()) > _COMMENT_BYTES:
        comment = comment[:-1]
    named = Flow(Name=column.name, Type=hive_type(column.code))
    return Flow(named, Comment=comment) if comment else named
