"""Words for what varies from photo to photo, from what the audit measured. What is identity is not named.

What captions name can be changed by a prompt later; what they do not name goes into the trigger word. So
place, framing, view, expression and light get words, and hair, face and build never do. The table is data:
caption_words.json. A score that was not measured names nothing.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..config import Format
from ..errors import BadInputError
from .manifest import Dataset, Entry

FORMAT = Format("lorasmith.caption_words", 1)


@dataclass(frozen=True)
class Word:
    """``words`` are said when the score lies from ``low`` to ``high``, or the crop is of that kind.

    Of all words ``of`` one thing the first that fits is said: nobody laughs and is neutral at once.
    """

    of: str
    words: str
    score: str = ""
    low: float | None = None
    high: float | None = None
    crop: str = ""

    def fits(self, entry: Entry) -> bool:
        if self.crop:
            return entry.crop is not None and entry.crop.kind == self.crop
        value = entry.scores.get(self.score)
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value < self.high)


@dataclass(frozen=True)
class Words:
    """The whole table."""

    words: tuple[Word, ...]


def load_words(path: Path | None = None) -> Words:
    """The table of ``path``, or the one that ships.

    Raises:
        BadInputError: missing, no JSON, or not in this form.
    """
    return _shipped() if path is None else FORMAT.load(Words, path)


@cache
def _shipped() -> Words:
    return FORMAT.load(Words, Path(__file__).with_name("caption_words.json"))


def measured_tags(entry: Entry, table: Words | None = None) -> tuple[str, ...]:
    """What the measurements of one photo name, in the order of the table."""
    found: dict[str, str] = {}
    for word in (table or load_words()).words:
        if word.of not in found and word.fits(entry):
            found[word.of] = word.words
    return tuple(dict.fromkeys(found.values()))


def tag_dataset(dataset: Dataset, table: Words | None = None) -> Dataset:
    """Give every kept photo its measured tags. Photos that hold tags already keep them.

    A tag that holds on every one of three or more photos does not vary: it is left out.
    """
    found = {e.name: e.tags or measured_tags(e, table) for e in dataset.kept}
    counts = Counter(tag for tags in found.values() for tag in tags)
    always = {tag for tag, count in counts.items() if count == len(found) >= 3}
    entries = (
        e if e.tags or e.name not in found
        else dataclasses.replace(e, tags=tuple(t for t in found[e.name] if t not in always))
        for e in dataset.entries
    )  # fmt: skip
    return dataclasses.replace(dataset, entries=tuple(entries))


def with_tags(dataset: Dataset, tags: dict[str, tuple[str, ...]]) -> Dataset:
    """The dataset with the user's own tags, by file name; other photos keep theirs.

    Raises:
        BadInputError: a name that is not in the dataset.
    """
    names = {e.name for e in dataset.entries}
    BadInputError.collect([f"There is no photo '{n}' in '{dataset.folder}'." for n in tags if n not in names])
    entries = (dataclasses.replace(e, tags=tags[e.name]) if e.name in tags else e for e in dataset.entries)
    return dataclasses.replace(dataset, entries=tuple(entries))
