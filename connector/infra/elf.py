"""Symbols out of shared libraries, for any processor and without a tool: what no loader reads is cut off.

A loader follows the program headers only. Section headers, symbol tables and debugging information lie behind
the last segment; the file ends there then, and its header names no sections any more.
"""

from __future__ import annotations

import struct

_MAGIC = b"\x7fELF"
_CLASS_64, _LITTLE = 2, 1
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")


def stripped(content: bytes) -> bytes:
    """A 64-bit little-endian ELF file without what follows its segments; anything else as it is."""
    if len(content) < _HEADER.size or content[:4] != _MAGIC or content[4:6] != bytes((_CLASS_64, _LITTLE)):
        return content
    fields = list(_HEADER.unpack_from(content))
    first, size, count = fields[5], fields[9], fields[10]
    segments = [_SEGMENT.unpack_from(content, first + number * size) for number in range(count)]
    end = max(
        [_HEADER.size, first + count * size, *(offset + kept for _, _, offset, _, _, kept, *_ in segments)]
    )
    if end >= len(content):
        return content
    fields[6] = fields[12] = fields[13] = 0
    return _HEADER.pack(*fields) + content[_HEADER.size : end]
