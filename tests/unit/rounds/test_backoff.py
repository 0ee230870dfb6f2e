"""Pauses that double, up to a limit, until it works again."""

from __future__ import annotations

from connector.rounds.backoff import Backoff


def test_each_pause_is_twice_the_one_before_until_it_works():
    seconds = 100.0
    backoff = Backoff(2.0, 60.0, lambda: seconds)

    assert [backoff.put_off("store") for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    backoff.forget("store")
    assert backoff.put_off("store") == 2


def test_a_name_is_due_once_its_own_pause_is_over():
    seconds = 100.0
    backoff = Backoff(5.0, 600.0, lambda: seconds)
    assert backoff.is_due("a")

    backoff.put_off("a")
    assert (backoff.is_due("a"), backoff.is_due("b")) == (False, True)
    seconds += 5
    assert backoff.is_due("a")
