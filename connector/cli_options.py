"""Options that several groups of commands share, and how they become settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from connector.config import Settings

F = TypeVar("F", bound=Callable[..., Any])

# numpy, which pyarrow loads where it is installed, else takes 40 MB for threads that nothing here uses
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def config_option(function: F) -> F:
    return click.option(
        "--config", type=click.Path(exists=True, dir_okay=False), envvar="CONNECTOR_CONFIG",
        help="Configuration file, YAML. Every key is also a variable, CONNECTOR_<KEY>.",
    )(function)  # fmt: skip


def data_option(function: F) -> F:
    return click.option(
        "--data", help="Data folder, or s3://bucket/prefix; default ./data.", metavar="DIR|S3"
    )(function)


def day_option(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help=text)


def mapping_option(function: F) -> F:
    return click.option(
        "--mapping", type=click.Path(exists=True, dir_okay=False),
        help="Mapping file; default: the shipped mappings/ecommerce.yaml.",
    )(function)  # fmt: skip


def settings_of(config: str | None, **options: Any) -> Settings:
    """Settings under a configuration file, which child processes are told of too."""
    from connector.config import load_settings

    if config:
        os.environ["CONNECTOR_CONFIG"] = config
    return load_settings(**options)
