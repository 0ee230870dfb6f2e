"""Segment's mapping-kit and subscription language: a mapping or a query becomes one function, once."""

from connector.errors import MappingError
from connector.mapping.compile import compile_mapping
from connector.mapping.jsvalues import UNDEFINED
from connector.mapping.subscription import Matching, compile_subscription, fields_read

__all__ = ["UNDEFINED", "MappingError", "Matching", "compile_mapping", "compile_subscription", "fields_read"]
