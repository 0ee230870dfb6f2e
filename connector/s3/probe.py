"""Whether a store keeps the promises everything rests on; asked at start, before anything is written."""

from __future__ import annotations

import secrets

from connector.errors import StoreError
from connector.objects import ObjectStore

FOLDER = "probe/"


def probe(store: ObjectStore) -> None:
    """
    Write an object under a random name twice, create-only, read it and delete it.

    The ledger is create-only objects: two writers that both win one name would both count their rows
    (journal-protocol 3.4 and 7; some stores answer 200 to ``If-None-Match: *`` and overwrite).

    Raises:
        StoreError: ``store_unsuitable`` when a name is given twice or reads lag behind writes; else
            what the store answered: a missing permission (put, get, delete) shows here, not in the middle.
    """
    name = f"{FOLDER}{secrets.token_hex(16)}"
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    store.create(name, first)
    try:
        taken_twice = store.create(name, second)
        content = store.read(name)
    finally:
        store.delete([name])
    if taken_twice:
        raise _unsuitable("it ignores If-None-Match: *, so two writers could both create one object")
    if content != first:
        raise _unsuitable("a read does not see what was written just before")
    if store.read(name) is not None:
        raise _unsuitable("a read still sees what was deleted just before")


def _unsuitable(why: str) -> StoreError:
    text = f"this object store cannot hold a lake: {why}"
    return StoreError(text, code="store_unsuitable", retryable=False)
