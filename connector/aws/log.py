"""Log lines of a Lambda: JSON, one object a line, with the function's request id. Never a payload."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger

from connector.aws.figures import service_name


def log_as_json(service: str) -> Logger:
    """
    Let everything that ``connector`` logs from now on be JSON on standard output.

    The runtime's own handler is not asked: it would print each line a second time.

    Args:
        service: what every line says it is from, such as ``receiver``; see ``service_name``.

    Returns:
        The logger whose ``append_keys`` adds keys to every later line.
    """
    logger = Logger(service=service_name(service))
    lines = logging.getLogger("connector")
    lines.handlers = [logger.registered_handler]
    lines.setLevel(logging.INFO)
    lines.propagate = False
    return logger
