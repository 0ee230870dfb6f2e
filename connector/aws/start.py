"""What the functions behind the journal do first, while Lambda starts their process: outside the handler."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from connector.aws.log import log_as_json
from connector.aws.secrets import Secrets
from connector.config import Settings, load_settings
from connector.errors import ConnectorError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

log = logging.getLogger("connector.aws.start")


_json: list[Logger] = []
"""The logger of this process, once it is a Lambda's."""


def is_lambda() -> bool:
    """Whether this process is a Lambda's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def settings_with_secrets() -> Settings:
    """Fetch the secrets that ``CONNECTOR_SECRETS`` names, then read the settings, which refer to them.

    A secret that is not to be had is missed where it is used; the next call tries again.

    Raises:
        ConfigError: the settings are wrong, or what ``CONNECTOR_SECRETS`` says.
    """
    Secrets.of_environment().begin()
    return load_settings()


def begin(service: str, prepare: Callable[[], object]) -> None:
    """In a Lambda, log as JSON and prepare at once: while it starts, a function has more of the processor.

    What fails is logged, and tried again by the first invocation. Anywhere else nothing happens.
    """
    if not is_lambda():
        return
    _json[:] = [log_as_json(service)]
    try:
        prepare()
    except ConnectorError as trouble:
        log.error("not prepared, the first invocation tries again: %s", trouble)


def name_invocation(context: LambdaContext) -> None:
    """In a Lambda, let every line of the log from now on say which invocation it is of."""
    for logger in _json:
        logger.append_keys(function_request_id=context.aws_request_id)
