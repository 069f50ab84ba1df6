"""A dataset is a manifest: it points at photos, with verdicts, crops and captions. One JSON file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ..config import Format, encode
from ..errors import BadInputError
from ..say import knows, say
from .photo import Photo, Unreadable
from .scan import Scan

FORMAT = Format("lorasmith.dataset", 1)
_NOTE = "metadata"
"""Code of the warnings that the scan gave, about the files beside the photos."""

Severity = Literal["reject", "warn", "quota"]
"""reject: left out. warn: kept, worth knowing. quota: kept, a few of these are fine and many are not."""

GroupKind = Literal["duplicate", "same_clothes_and_background", "studio_series", "same_background", "same_pose"]

CropKind = Literal["portrait", "half", "full", "subject", "whole", "own"]
"""own: the user drew the box."""

Corners = tuple[int, int, int, int]
"""left, top, right, bottom in upright photo pixels; right and bottom are exclusive."""


@dataclass(frozen=True)
class Crop:
    """What is cut out of a photo."""

    box: Corners
    bucket: tuple[int, int]
    """width and height in training pixels."""
    kind: CropKind

    @property
    def upscale(self) -> float:
        """How much the cut-out is enlarged to fill its bucket; 1 or less when it is reduced."""
        left, top, right, bottom = self.box
        return max(self.bucket[0] / (right - left), self.bucket[1] / (bottom - top))


@dataclass(frozen=True)
class Reason:
    """Why a photo is rejected, or what to know about it."""

    code: str
    value: float
    limit: float
    text: str
    severity: Severity = "reject"
    unit: str = ""
    """Of value and limit, in words."""


@dataclass(frozen=True)
class Warning_:  # noqa: N801 (Warning is Python's own)
    """Something to know about the whole set."""

    code: str
    text: str


@dataclass(frozen=True)
class Group:
    """Photos that belong together. ``members`` are file names, in natural order."""

    id: int
    kind: GroupKind
    members: tuple[str, ...]
    keeper: str | None
    """The member to keep first."""
    text: str


@dataclass(frozen=True)
class NotJudged:
    """A check that nobody made, which is not the same as a check that found nothing."""

    code: str
    title: str
    text: str
    """Title, why not, and what makes it possible."""
    why: str = ""
    """The same without the title."""


@dataclass(frozen=True)
class Share:
    """How many of the kept photos show something, against how many should."""

    code: str
    title: str
    count: int
    of: int
    """Kept photos on which it was measured; 0 where it was on none."""
    wanted_low: float | None
    wanted_high: float | None
    """Wanted range as shares of ``of`` (as photos where ``code`` is "photos"); None: no bound."""
    state: Literal["good", "watch", "bad", "not measured"]
    text: str


@dataclass(frozen=True)
class Entry:
    """One photo with everything that was decided about it."""

    photo: Photo
    keep: bool = True
    reasons: tuple[Reason, ...] = ()
    scores: dict[str, float] = dataclasses.field(default_factory=dict)
    crop: Crop | None = None
    caption: str = ""
    group: int | None = None
    override: Literal["keep", "reject"] | None = None
    """What the user decided against the verdict; ``keep`` follows it."""
    faces: tuple[tuple[float, float, float, float], ...] = ()
    """Boxes of the faces that were found, the largest first: left, top, right, bottom in shares of the photo."""
    more_crops: tuple[Crop, ...] = ()
    """Further crops of the same photo: relatives of ``crop``, no photos of their own."""
    own_box: Corners | None = None
    """The box the user drew; it becomes the only crop."""
    tags: tuple[str, ...] = ()
    """What the caption names of what varies: "outdoors", "smiling"."""

    @property
    def crops(self) -> tuple[Crop, ...]:
        """All crops, the main one first."""
        return self.more_crops if self.crop is None else (self.crop, *self.more_crops)

    @property
    def name(self) -> str:
        return self.photo.name

    def codes(self, severity: str = "reject") -> tuple[str, ...]:
        return tuple(r.code for r in self.reasons if r.severity == severity)


@dataclass(frozen=True)
class Dataset:
    """The manifest. Immutable: every step returns a new one."""

    folder: Path
    entries: tuple[Entry, ...]
    unreadable: tuple[Unreadable, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    trigger: str = ""
    class_word: str = ""
    groups: tuple[Group, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    stats: tuple[Share, ...] = ()
    score: int = 0
    """Points of :attr:`score_max` that the set earns; 0 of 0 before an audit."""
    score_max: int = 0
    """Points that could be judged, of 100: what was not measured earns none and is not counted."""
    next_steps: tuple[str, ...] = ()
    """What to do about the set, the most useful first."""

    @classmethod
    def of(cls, found: Scan) -> Dataset:
        """Every scanned photo, kept, with its sidecar caption; nothing judged yet."""
        entries = tuple(Entry(p, caption=p.caption or "") for p in found.photos)
        notes = tuple(Warning_(_NOTE, note) for note in found.notes)
        return cls(found.folder, entries, found.unreadable, notes)

    def scanned(self) -> Scan:
        """What the scan found, without any verdict: the way back to be judged again."""
        notes = tuple(w.text for w in self.warnings if w.code == _NOTE)
        return Scan(self.folder, tuple(e.photo for e in self.entries), self.unreadable, notes)

    @cached_property
    def kept(self) -> tuple[Entry, ...]:
        return tuple(e for e in self.entries if e.keep)

    @cached_property
    def rejected(self) -> tuple[Entry, ...]:
        return tuple(e for e in self.entries if not e.keep)

    @cached_property
    def pictures(self) -> tuple[Entry, ...]:
        """What is trained and exported: each kept photo once for each of its crops, as an entry with one crop.

        Photos are counted by :attr:`kept`: two crops of one photo are one photo.
        """
        return tuple(dataclasses.replace(e, crop=crop, more_crops=()) for e in self.kept for crop in e.crops or (None,))

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """(width, height) in px of those :attr:`pictures` that are cropped, in order."""
        return [entry.crop.bucket for entry in self.pictures if entry.crop is not None]

    def entry(self, name: str) -> Entry:
        """The entry of a file name.

        Raises:
            BadInputError: there is none.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise BadInputError(say("photos.no_such_photo", name=name, folder=self.folder))

    def override(
        self,
        keep: Collection[str] = (),
        reject: Collection[str] = (),
        boxes: Mapping[str, Corners] | None = None,
    ) -> Dataset:
        """The same dataset with the user's own verdicts and crop boxes, by file name.

        Raises:
            BadInputError: a name that is not in the dataset or is in both lists, a box outside of its photo.
        """
        boxes = boxes or {}
        photos = {e.name: e.photo for e in self.entries}
        named = dict.fromkeys((*keep, *reject, *boxes))
        problems = [say("photos.no_such_photo", name=n, folder=self.folder) for n in named if n not in photos]
        problems += [say("photos.kept_and_rejected", name=n) for n in keep if n in set(reject)]
        problems += [p for n, box in boxes.items() if n in photos for p in _box_problems(photos[n], box)]
        BadInputError.collect(problems)
        entries = (_overridden(e, keep, reject) for e in self.entries)
        drawn = (dataclasses.replace(e, own_box=boxes[e.name]) if e.name in boxes else e for e in entries)
        return dataclasses.replace(self, entries=tuple(drawn))

    def summary(self) -> str:
        """One sentence: how many are kept, and why the others are not."""
        total = len(self.entries) + len(self.unreadable)
        counts = Counter(e.codes()[0] if e.codes() else "by_hand" for e in self.rejected)
        counts += Counter({"unreadable": len(self.unreadable)})
        if not counts:
            return say("audit.summary", kept=len(self.kept), total=total)
        reasons = [say("audit.summary_reason", count=n, title=title_of(code)) for code, n in counts.items()]
        return say("audit.summary_left_out", kept=len(self.kept), total=total, reasons=reasons)

    def digest(self) -> str:
        """Hex SHA-256 of what would be trained: kept photos, crops, captions and trigger, not paths."""
        rows = [[e.photo.sha256, encode(e.crop), e.caption] for e in self.pictures]
        text = json.dumps([rows, self.trigger, self.class_word], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> Dataset:
        """Build a dataset from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)

    def save(self, path: Path) -> None:
        FORMAT.save(self, path)

    @classmethod
    def load(cls, path: Path) -> Dataset:
        return FORMAT.load(cls, path)


def title_of(code: str) -> str:
    """What a finding is called; one of a later version has its code as a name."""
    key = f"audit.title_{code}"
    return say(key) if knows(key) else code.replace("_", " ")


def _box_problems(photo: Photo, box: Corners) -> list[str]:
    left, top, right, bottom = box
    if 0 <= left < right <= photo.width_px and 0 <= top < bottom <= photo.height_px:
        return []
    return [
        say(
            "photos.box_outside",
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            name=photo.name,
            width=photo.width_px,
            height=photo.height_px,
        )
    ]


def _overridden(entry: Entry, keep: Collection[str], reject: Collection[str]) -> Entry:
    if entry.name in keep:
        return dataclasses.replace(entry, keep=True, override="keep")
    if entry.name in reject:
        return dataclasses.replace(entry, keep=False, override="reject")
    return entry
