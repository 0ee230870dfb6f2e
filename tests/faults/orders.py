"""Two or more actors that share something, run in every order in which their steps can come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

Step = Callable[[], None]
"""Called by an actor before each of its steps: returns when it is its turn."""


def every_order(make: Callable[[], Sequence[Callable[[Step], object]]]) -> Iterator[None]:
    """Run the actors that ``make`` gives anew for each order; yield after each run.

    Depth first: the same choices as the last time, but for the last one that can be another.
    """
    choices: list[int] = []
    while True:
        taken = _run(make(), choices)
        yield
        while taken and taken[-1][0] == taken[-1][1] - 1:
            taken.pop()
        if not taken:
            return
        choices = [chosen for chosen, _ in taken]
        choices[-1] += 1


def _run(actors: Sequence[Callable[[Step], object]], choices: Sequence[int]) -> list[tuple[int, int]]:
    """Run them by these choices and the first one from there on; return (choice, of how many)."""
    turns = _Turns(len(actors))
    threads = [threading.Thread(target=turns.act, args=(who, actor)) for who, actor in enumerate(actors)]
    for thread in threads:
        thread.start()
    taken: list[tuple[int, int]] = []
    while ready := turns.ready():
        chosen = choices[len(taken)] if len(taken) < len(choices) else 0
        taken.append((chosen, len(ready)))
        turns.give(ready[chosen])
    for thread in threads:
        thread.join()
    if turns.errors:
        raise turns.errors[0]
    return taken


class _Turns:
    def __init__(self, actors: int) -> None:
        self._condition = threading.Condition()
        self._running = set(range(actors))
        self._waiting: set[int] = set()
        self._turn: int | None = None
        self.errors: list[BaseException] = []

    def act(self, who: int, actor: Callable[[Step], object]) -> None:
        try:
            actor(lambda: self._step(who))
        except BaseException as error:
            self.errors.append(error)
        with self._condition:
            self._running.remove(who)
            self._condition.notify_all()

    def _step(self, who: int) -> None:
        with self._condition:
            self._waiting.add(who)
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._turn == who)
            self._turn = None
            self._waiting.remove(who)

    def ready(self) -> list[int]:
        """Those that wait, once everybody waits or is done; empty when all are done."""
        with self._condition:
            self._condition.wait_for(lambda: self._turn is None and self._waiting == self._running)
            return sorted(self._waiting)

    def give(self, who: int) -> None:
        with self._condition:
            self._turn = who
            self._condition.notify_all()
