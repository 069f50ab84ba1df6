"""Asking a running training to stop, from another thread or a signal."""

from __future__ import annotations

import threading


class StopFlag:
    """Set once, with the reason; the loop looks at it between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def request(self, reason: str) -> None:
        """Ask to stop. The first reason counts."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the stop is requested or the time is over; True when requested."""
        return self._event.wait(timeout_s)
