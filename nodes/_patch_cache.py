"""LoRA files that were read, kept by content as long as memory allows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def bytes(self) -> int: ...


V = TypeVar("V", bound=Sized)


class PatchCache(Generic[V]):
    """The last used values whose bytes together stay below a limit that is asked for anew each time.

    The tensors of a ``.safetensors`` file are views of the file: the operating system takes their pages
    back by itself when memory runs short. The limit is for systems where they are copies.
    """

    def __init__(self, limit_bytes: Callable[[], int]) -> None:
        self._limit_bytes = limit_bytes
        self._known: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value for ``key``, made when it is not known."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        value = make()
        with self._lock:
            self._known[key] = value
        return value

    def trim(self) -> None:
        """Drop what was used longest ago until the rest fits the limit."""
        limit = self._limit_bytes()
        with self._lock:
            while self._known and sum(value.bytes for value in self._known.values()) > limit:
                self._known.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()

    def __len__(self) -> int:
        return len(self._known)
