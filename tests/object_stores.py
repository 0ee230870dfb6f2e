"""Stores for the tests: one in memory, and wrappers that break, interrupt or watch another store."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from connector.objects import ObjectInfo, ObjectStore


class MemoryStore:
    """``ObjectStore`` in a dictionary, with a clock that the test sets."""

    uri = "memory://lake"

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms
        self.objects: dict[str, tuple[bytes, int]] = {}
        self._lock = threading.Lock()

    def create(self, name: str, content: bytes) -> bool:
        with self._lock:
            if name in self.objects:
                return False
            self.objects[name] = content, self.now_ms
            return True

    def put(self, name: str, content: bytes) -> None:
        with self._lock:
            self.objects[name] = content, self.now_ms

    def upload(self, name: str, path: Path) -> None:
        self.put(name, path.read_bytes())

    def read(self, name: str) -> bytes | None:
        with self._lock:
            return self.objects[name][0] if name in self.objects else None

    def download(self, name: str, path: Path) -> bool:
        content = self.read(name)
        if content is None:
            return False
        path.write_bytes(content)
        return True

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._lock:
            found = sorted((name, *held) for name, held in self.objects.items() if name.startswith(prefix))
        for name, content, modified_ms in found:
            yield ObjectInfo(name, len(content), hashlib.md5(content).hexdigest(), modified_ms)

    def holds(self, prefix: str) -> bool:
        with self._lock:
            return any(name.startswith(prefix) for name in self.objects)

    def clock_ms(self) -> int:
        return self.now_ms

    def delete(self, names: Iterable[str]) -> None:
        for name in list(names):
            with self._lock:
                self.objects.pop(name, None)


class Watched:
    """Another store, with something that happens before or after its n-th call."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.uri = store.uri
        self.calls: list[str] = []
        self._hooks: dict[tuple[str, int], Callable[[], None]] = {}
        self._lock = threading.RLock()

    def at(self, when: str, number: int, hook: Callable[[], None]) -> Watched:
        """Call ``hook`` ``"before"`` or ``"after"`` call ``number``, counted from 1 over all methods."""
        self._hooks[when, number] = hook
        return self

    def at_call(self, when: str, method: str, number: int, hook: Callable[[], None]) -> Watched:
        """The same, counted among the calls of one method."""
        self._hooks[f"{when} {method}", number] = hook
        return self

    def create(self, name: str, content: bytes) -> bool:
        return self._call("create", lambda: self.store.create(name, content))

    def put(self, name: str, content: bytes) -> None:
        self._call("put", lambda: self.store.put(name, content))

    def upload(self, name: str, path: Path) -> None:
        self._call("upload", lambda: self.store.upload(name, path))

    def read(self, name: str) -> bytes | None:
        return self._call("read", lambda: self.store.read(name))

    def download(self, name: str, path: Path) -> bool:
        return self._call("download", lambda: self.store.download(name, path))

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        return iter(self._call("find", lambda: list(self.store.find(prefix))))

    def holds(self, prefix: str) -> bool:
        return self._call("holds", lambda: self.store.holds(prefix))

    def clock_ms(self) -> int:
        return self._call("clock_ms", self.store.clock_ms)

    def delete(self, names: Iterable[str]) -> None:
        self._call("delete", lambda: self.store.delete(names))

    def _call(self, method, do):
        with self._lock:
            self.calls.append(method)
            keys = [("", len(self.calls)), (f" {method}", self.calls.count(method))]
        self._run("before", keys)
        result = do()
        self._run("after", keys)
        return result

    def _run(self, when: str, keys: list[tuple[str, int]]) -> None:
        for suffix, number in keys:
            if hook := self._hooks.get((when + suffix, number)):
                hook()


class Killed(BaseException):
    """The process is gone: nothing that it would still do is done."""


class Mortal(Watched):
    """The store of a process that dies at a hook which raises ``Killed``: no call gets through afterwards."""

    dead = False

    def _call(self, method, do):
        if self.dead:
            raise Killed
        try:
            return super()._call(method, do)
        except Killed:
            self.dead = True
            raise
