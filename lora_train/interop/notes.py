"""What became of each setting of another trainer, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..say import say

Fate = Literal["taken", "converted", "not supported"]


@dataclass(frozen=True)
class Note:
    """One setting."""

    fate: Fate
    name: str
    """As the other trainer calls it."""
    text: str

    def __str__(self) -> str:
        return say("interop.note", fate=fate_words(self.fate), name=self.name, text=self.text)


@dataclass(frozen=True)
class Settings:
    """Fields of a plan that a file sets, the family when it says so, and what became of everything in it."""

    source: str
    """"kohya" or "ai-toolkit"."""
    family: str | None
    fields: Mapping[str, Any]
    notes: tuple[Note, ...]


@dataclass
class Reading:
    """A file of settings while it is read: whatever nobody asked for ends as "not supported"."""

    given: Mapping[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def get(self, *names: str) -> Any:
        """The first of these settings that is there and not empty; all of them count as dealt with."""
        self._seen.update(names)
        return next((self.given[n] for n in names if self.given.get(n) not in (None, "")), None)

    def take(self, name: str, ours: str, convert: Callable[[Any], Any]) -> None:
        """Take a setting that means the same here."""
        value = self.get(name)
        if value is None:
            return
        try:
            self.fields[ours] = convert(value)
        except (TypeError, ValueError):
            self.unsupported(name, say("interop.cannot_read", value=value, ours=ours))
            return
        self.note("taken", name, f"{ours} {self.fields[ours]}")

    def keep(self, name: str, ours: str, value: Any) -> None:
        """Take a setting that means the same here, as it was read already."""
        self.fields[ours] = value
        self.note("taken", name, f"{ours} {value:g}" if isinstance(value, float) else f"{ours} {value}")

    def convert(self, name: str, ours: str, value: Any, text: str) -> None:
        """Take a setting that is said differently here."""
        self.fields[ours] = value
        self.note("converted", name, text)

    def unsupported(self, name: str, text: str) -> None:
        self.note("not supported", name, text)

    def note(self, fate: Fate, name: str, text: str) -> None:
        self.notes.append(Note(fate, name, text))

    def leave_unset(self) -> None:
        """What the other trainers do without unless it is asked for, and plans here do not."""
        for name, value, key in (
            ("min_snr_gamma", None, "interop.unset_loss"),
            ("noise_offset", 0.0, "interop.unset_none"),
        ):
            if name not in self.fields:
                self.convert(name, name, value, say(key))

    def accumulate(self, times: Any) -> None:
        """Gradients added up over so many batches: here one batch of that size."""
        if int(times or 1) > 1:
            batch = int(self.fields.get("batch_size", 1)) * int(times)
            text = say("interop.accumulated", times=times, batch=batch)
            self.convert("gradient_accumulation_steps", "batch_size", batch, text)

    def ignore(self, *names: str) -> None:
        """Settings that decide nothing about what is learned."""
        self._seen.update(names)

    def rest(self) -> None:
        """Name everything that is set and was not asked for."""
        for name, value in self.given.items():
            if name not in self._seen and value not in (None, "", False, 0, [], {}):
                self.unsupported(name, say("interop.nothing", value=_short(value)))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def fate_words(fate: str) -> str:
    """What became of a setting, in the reader's language."""
    return say(f"interop.fate_{fate.replace(' ', '_')}")
