"""What the tables in a store hold, read where the faults between a service and its store do not reach."""

from __future__ import annotations

import io
from collections import Counter

import pyarrow.parquet as pq

from connector.objects import ObjectStore
from connector.write.ledger import Fold
from connector.write.object_ledger import ObjectLedger


class Landed:
    """Counts ``messageId``s in the live files of ``events``; each file is read once, however often asked."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._ledger = ObjectLedger(store)
        self._fold = Fold()
        self._ids: dict[str, list[str]] = {}

    def ids(self, prefix: str = "") -> Counter[str]:
        """How many rows of live files each id has, copies that the views hide included."""
        self._fold = self._ledger.fold(self._fold)
        live = [name for name in self._fold.live if name.startswith("tables/events/")]
        return Counter(each for name in live for each in self._ids_in(name) if each.startswith(prefix))

    def _ids_in(self, name: str) -> list[str]:
        if name not in self._ids:
            content = self._store.read(name)
            assert content is not None, f"{name} is in the ledger and not in the store"
            self._ids[name] = pq.read_table(io.BytesIO(content), columns=["message_id"])[0].to_pylist()
        return self._ids[name]
