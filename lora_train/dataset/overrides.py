"""What the user decided photo by photo: kept, left out, or cut in another way. Stored with the workflow.

A decision belongs to a photo's content *and* name: it survives a renamed file, and it never falls on
another photo that happens to have the same name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..config import Format
from ..errors import BadInputError
from ..say import say
from .manifest import Corners
from .photo import Photo

FORMAT = Format("lorasmith.overrides", 1)
ID_LENGTH = 16
"""Hex digits of a photo's SHA-256 that a decision keeps: 64 bits."""

Verdict = Literal["keep", "reject"]


@dataclass(frozen=True)
class Decision:
    """What was decided about one photo."""

    name: str
    id: str
    """First :data:`ID_LENGTH` hex digits of the file's SHA-256."""
    verdict: Verdict | None = None
    crop: Corners | None = None


@dataclass(frozen=True)
class Overrides:
    """Every decision about a set of photos. ``str`` in a workflow, see :meth:`from_text`."""

    photos: tuple[Decision, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Overrides:
        """Decisions from the JSON text of a workflow; empty text holds none.

        Raises:
            BadInputError: no JSON, or not in the form of :meth:`to_text`.
        """
        if not text.strip():
            return cls()
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInputError(say("photos.overrides_no_json", why=error.msg, at=error.pos)) from error
        return FORMAT.unpack(cls, data, "overrides")

    def to_text(self) -> str:
        """The JSON text that :meth:`from_text` reads; empty without decisions."""
        if not self.photos:
            return ""
        return json.dumps(FORMAT.pack(self), ensure_ascii=False, separators=(",", ":"))

    def for_photos(self, photos: Sequence[Photo]) -> Matched:
        """Which decision belongs to which of ``photos``: the same content, and of those the same name."""
        left = {(p.name, photo_id(p)): p for p in photos}
        found: dict[str, Decision] = {}
        rest: list[Decision] = []
        for decision in self.photos:
            photo = left.pop((decision.name, decision.id), None)
            if photo is None:
                rest.append(decision)
            else:
                found[photo.name] = decision
        waiting: list[Decision] = []
        for decision in rest:
            renamed = [key for key in left if key[1] == decision.id]
            if len(renamed) == 1:
                found[left.pop(renamed[0]).name] = decision
            else:
                waiting.append(decision)
        return Matched(found, tuple(waiting))


@dataclass(frozen=True)
class Matched:
    """Decisions by file name, and those whose photo is not in the set."""

    by_name: dict[str, Decision]
    waiting: tuple[Decision, ...] = ()

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Verdicts by file name."""
        return {name: d.verdict for name, d in self.by_name.items() if d.verdict}

    @property
    def crops(self) -> dict[str, Corners]:
        """Crop boxes by file name."""
        return {name: d.crop for name, d in self.by_name.items() if d.crop}


def photo_id(photo: Photo) -> str:
    """How a decision knows a photo: the beginning of its content's SHA-256."""
    return photo.sha256[:ID_LENGTH]
