"""What a hub says about one LoRA file: shown to the user before anything is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..say import say
from .policy import Hub

Scan = Literal["clean", "danger", "pending", "unknown"]


@dataclass(frozen=True)
class Choice:
    """Another version or file that the same page offers."""

    link: str
    label: str


@dataclass(frozen=True)
class Record:
    """One file on a hub. Everything that is text comes from strangers."""

    hub: Hub
    link: str
    """Points at exactly this file; no key in it."""
    page: str
    """Address of the page for people."""
    name: str
    version: str
    file_name: str
    download_address: str
    sha256: str
    """64 lower-case hexadecimal digits."""
    bytes: int
    exact_size: bool
    """False where the hub rounds."""
    base: str
    """The base model as the hub names it; empty when it names none."""
    author: str
    licence: str
    """In a few words; empty when the hub names none."""
    triggers: tuple[str, ...] = ()
    scan: Scan = "unknown"
    scan_text: str = ""
    preview_address: str = ""
    notes: tuple[str, ...] = ()
    """What a user should know before the download."""
    versions: tuple[Choice, ...] = ()
    files: tuple[Choice, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Ids and permissions as the hub states them, for the sidecar."""

    def to_json(self) -> dict[str, Any]:
        """Everything but the address of the download, which may be signed."""
        values = asdict(self)
        del values["download_address"]
        return values

    def text(self) -> str:
        """A few lines for people."""
        head = [self.name, self.version, say("hub.by", author=self.author) if self.author else ""]
        facts = {
            "file": f"{self.file_name}, {size_text(self.bytes)}, SHA-256 {self.sha256[:12]}…",
            "base": self.base or say("hub.not_named"),
            "licence": self.licence or say("hub.not_named"),
            "triggers": ", ".join(self.triggers) or say("hub.none_named"),
            "scan": self.scan_text or say(f"hub.scan_{self.scan}"),
        }
        rows = [(say(f"hub.row_{name}"), text) for name, text in facts.items()]
        rows += [(say("hub.row_note"), note) for note in self.notes]
        return "\n".join([", ".join(filter(None, head)), *(f"  {name:<9} {text}" for name, text in rows)])


def size_text(count: int) -> str:
    """``count`` bytes as people read them."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return say("hub.bytes", n=count)
