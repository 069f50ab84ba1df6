"""What is asked of a running training from outside: to stop, to save, to show samples."""

from __future__ import annotations

import threading
from typing import Literal

Wish = Literal["save", "sample"]


class StopFlag:
    """Set once, with the reason; the loop looks at it between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._urgent = threading.Event()
        self.reason = ""

    def request(self, reason: str, *, urgent: bool = True) -> None:
        """Ask to stop. The first reason counts.

        ``urgent`` is a user waiting: whoever waits in :meth:`wait_urgent` saves when the loop is slow.
        """
        if not self._event.is_set():
            self.reason = reason
            self._event.set()
        if urgent:
            self._urgent.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def agree(self) -> None:
        """Called after every step: where several processes train together, they see a stop after the same one."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the stop is requested or the time is over; True when requested."""
        return self._event.wait(timeout_s)

    def wait_urgent(self) -> None:
        """Block until an urgent stop is requested."""
        self._urgent.wait()


class Wishes:
    """Things to do at the next step without stopping; asking twice before that is asking once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: set[Wish] = set()

    def ask(self, wish: Wish) -> None:
        with self._lock:
            self._asked.add(wish)

    def take(self, wish: Wish) -> bool:
        """Whether ``wish`` was asked for since the last time; it is fulfilled now."""
        with self._lock:
            asked = wish in self._asked
            self._asked.discard(wish)
        return asked
