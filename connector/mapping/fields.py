"""An action's fields become one function: a resolved mapping in, the payload that the action gets out."""

from connector.mapping.action_field import ActionField, FieldType
from connector.mapping.field_check import Check, compile_fields
from connector.mapping.field_messages import PayloadInvalid
from connector.mapping.field_schema import json_schema

__all__ = ["ActionField", "Check", "FieldType", "PayloadInvalid", "compile_fields", "json_schema"]
