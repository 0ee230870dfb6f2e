"""Statements answered by Spark on this machine, over the files that the ledger says are live."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from connector.errors import ConfigError, ConnectorError
from connector.report.clock import Clock
from connector.report.compose import Composition
from connector.report.desks.duck import PREPARED, RAW
from connector.report.desks.spark_files import lay_out
from connector.report.functions import Engine
from connector.report.render import render
from connector.tables import STRUCT_FIELDS, TABLES, Table, TypeCode

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from connector.write.data import DataReader

_MISSING = "engine spark: pip install 'segment-lake-connector[spark]' brings pyspark, which is not installed"
_SIMPLE: dict[TypeCode, str] = {
    "S": "STRING", "T": "TIMESTAMP", "M": "DECIMAL(18,6)", "Q": "DECIMAL(19,3)", "I": "INT", "L": "BIGINT",
    "D": "DOUBLE", "B": "BOOLEAN", "LS": "ARRAY<STRING>", "J": "STRING",
}  # fmt: skip
SETTINGS = {
    "spark.master": "local[*]",
    "spark.app.name": "connector",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.cteRecursionLevelLimit": "-1",
    "spark.sql.cteRecursionRowLimit": "-1",
    "spark.sql.variable.substitute": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
}
"""Session of a desk. An overflow is an error and never a null; ``${…}`` in a text stays as it is; sums of
decimals keep their fraction digits, as DuckDB and Trino keep them; recursion goes as deep as it must; nothing
listens but on loopback."""


class SparkFailed(ConnectorError):
    """Spark could not be started, or could not answer."""

    code = "spark"


class SparkDesk:
    """A Spark session with the raw views."""

    engine: Engine = "spark"
    runs = True
    days = None

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self.given: Collection[str] = RAW

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        from pyspark.errors import PySparkException

        try:
            answer = self._session.sql(render(statement, self.engine, clock)).toArrow()
        except PySparkException as trouble:
            raise SparkFailed(f"Spark: {(str(trouble).splitlines() or [''])[0]}") from None
        return list(answer.to_pylist())

    def prepare(self) -> None:
        """Find duplicates and identities once for all statements; they stay in the memory of Spark."""
        for name in PREPARED:
            whole = Composition({"as_of_ms": None, "source": None}, self.given)
            rows = self._session.sql(render(whole.query(name), self.engine)).cache()
            rows.createOrReplaceTempView(name)
            self.given = (*self.given, name)


@contextmanager
def spark_desk(data: DataReader, *, prepared: bool = False) -> Iterator[SparkDesk]:
    """
    Open a data folder for reports on Spark, in one process of this machine.

    Args:
        prepared: find duplicates and identities once, for several statements; False where a report counts
            only what was received until a moment.

    Of a data folder in S3 the live files of the tables are downloaded into a temporary folder first: pyspark
    comes without the libraries that would read them where they are.

    Raises:
        ConfigError: pyspark is not installed, or there is no Java 17.
        LakeUnreadable: a listed file is not there.
        StoreError: S3 refused or did not answer.
    """
    tables = [table for table in TABLES if f"{table.name}_raw" in RAW]
    with TemporaryDirectory(prefix="connector-") as folder, spark_session() as session:
        laid = lay_out(data, tables, Path(folder))
        for table in tables:
            show_files(session, table, laid[table.name])
        desk = SparkDesk(session)
        if prepared:
            desk.prepare()
        yield desk


@contextmanager
def spark_session(settings: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """
    A Spark of this process, and its end.

    No Python runs inside it: rows go in and come out as Arrow.

    Args:
        settings: beside ``SETTINGS``, and before them.

    Raises:
        ConfigError: pyspark is not installed, or Spark did not start.
    """
    _import_quietly()
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    with TemporaryDirectory(prefix="connector-spark-") as folder:
        own = {"spark.local.dir": folder, "spark.sql.warehouse.dir": f"{folder}/warehouse"}
        conf = SparkConf(loadDefaults=False).setAll([*{**SETTINGS, **own, **(settings or {})}.items()])
        words = Path(folder) / "spark.log"
        with words.open("wb") as log:
            try:
                gateway = launch_gateway(conf, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]
            except PySparkRuntimeError:
                raise ConfigError(_not_started(words)) from None
        try:
            session = SparkSession(SparkContext(conf=conf, gateway=gateway))
            try:
                yield session
            finally:
                session.stop()
        finally:
            _end(gateway)


def _import_quietly() -> None:
    """
    Import pyspark without its warning of a new pandas, which is not used here, and without its log of
    statements that fail, which the error tells.

    Raises:
        ConfigError: there is no pyspark.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import pyspark.logger
            import pyspark.testing.utils
    except ImportError:
        raise ConfigError(_MISSING) from None
    pyspark.logger.PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)


def _not_started(words: Path) -> str:
    said = words.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing was said"]
    return f"engine spark: Spark did not start; it needs Java 17 or later, named by JAVA_HOME ({said[0]})"


def _end(gateway: Any) -> None:
    """Wait for the process of Spark; the next session starts a new one."""
    from pyspark import SparkContext

    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None


def show_files(session: SparkSession, table: Table, folder: Path) -> None:
    """Make ``<table>_raw`` of the files below ``day=…`` folders; columns that a file lacks are null."""
    rows = session.read.schema(f"{spark_schema(table)}, `day` DATE").option("basePath", str(folder))
    rows.parquet(str(folder)).createOrReplaceTempView(f"{table.name}_raw")


def show_rows(session: SparkSession, table: Table, rows: pa.Table) -> None:
    """Make ``<table>_raw`` of rows in memory, which have the declared columns and ``day``."""
    schema = f"{spark_schema(table)}, `day` DATE"
    session.createDataFrame(rows, schema).createOrReplaceTempView(f"{table.name}_raw")


def spark_schema(table: Table) -> str:
    """The declared columns of a table as Spark writes a schema; ``day`` is in the path only."""
    return ", ".join(f"`{column.name}` {spark_type(column.code)}" for column in table.columns)


def spark_type(code: TypeCode) -> str:
    """Spark's name of a column type."""
    if code in _SIMPLE:
        return _SIMPLE[code]
    fields = ", ".join(f"`{name}`: {_SIMPLE[kind]}" for name, kind in STRUCT_FIELDS[code].items())
    return f"ARRAY<STRUCT<{fields}>>"
