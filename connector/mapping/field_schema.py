"""Declared fields as JSON Schema. Source: mapping-kit 9 (actions-core 3.170.0, fields-to-jsonschema)."""

from __future__ import annotations

from collections.abc import Sequence

from connector.events import Json
from connector.mapping.action_field import ActionField

_DRAFT = "http://json-schema.org/schema#"
_FIXED_FORMATS = {"datetime": "date-like", "password": "password", "text": "text"}
_LIMITS = {"string": ("minLength", "maxLength"), "number": ("minimum", "maximum")}
_JSON_TYPES: dict[str, str | list[str]] = {
    "text": "string",
    "password": "string",
    "datetime": ["string", "number"],
}


def json_schema(fields: Sequence[ActionField]) -> Json:
    """Return the JSON Schema of a payload with these fields, as Segment hands it to its validator."""
    return _object_schema(fields, additional=False)


def _object_schema(fields: Sequence[ActionField], *, additional: bool) -> dict[str, Json]:
    return {
        "$schema": _DRAFT,
        "type": "object",
        "additionalProperties": additional,
        "properties": {field.key: _field_schema(field) for field in fields},
        "required": [field.key for field in fields if field.required],
    }


def _field_schema(field: ActionField) -> dict[str, Json]:
    json_type = _JSON_TYPES.get(field.type, field.type)
    schema: dict[str, Json] = {**_annotations(field), "type": json_type, **_limits(field)}
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.allow_null:
        schema["type"] = [*([json_type] if isinstance(json_type, str) else json_type), "null"]
        if field.choices:
            schema["enum"].append(None)
    if field.multiple:
        schema["type"] = "array"
        schema["items"] = {"type": json_type}
        if field.choices:
            schema["items"]["enum"] = schema.pop("enum")
    return _with_properties(schema, field)


def _annotations(field: ActionField) -> dict[str, Json]:
    written = {
        "title": field.label or None,
        "description": field.description or None,
        "format": _FIXED_FORMATS.get(field.type, field.format),
        "default": field.default,
    }
    return {keyword: value for keyword, value in written.items() if value is not None}


def _limits(field: ActionField) -> dict[str, Json]:
    limits = (field.minimum, field.maximum)
    keywords = _LIMITS.get(field.type, ())
    return {keyword: limit for keyword, limit in zip(keywords, limits, strict=False) if limit}


def _with_properties(schema: dict[str, Json], field: ActionField) -> dict[str, Json]:
    """Return the schema with declared properties, whose own type displaces a null that is allowed."""
    if field.type != "object" or not field.properties:
        return schema
    nested = _object_schema(field.properties, additional=field.additional_properties)
    return {**schema, "items": nested} if field.multiple else {**schema, **nested}
