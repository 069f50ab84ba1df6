"""Captions as text: find and replace, what is counted how often, and words that are in every caption."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadInputError
from ..say import say
from .manifest import Dataset, Warning_

ARROW = "->"
MAX_EDITS = 200
_FEW = 3
"""In fewer captions a common word says nothing."""
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and as at by for from her his in is it its near of off on or over s she he the their they this to "
        "under up with photo picture image photograph portrait",
    )
)


@dataclass(frozen=True)
class Edit:
    """Replace whole words ``find``, whatever their case, by ``replace``; nothing there deletes them."""

    find: str
    replace: str = ""


def parse_edits(text: str) -> tuple[Edit, ...]:
    """Edits from lines such as ``sofa -> couch`` and ``blurry ->``.

    Raises:
        BadInputError: lists every line that is no edit.
    """
    edits, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        find, arrow, new = (part.strip() for part in line.partition(ARROW))
        if not arrow or not find:
            problems.append(say("photos.no_edit", number=number, line=line.strip()[:60], arrow=ARROW))
        else:
            edits.append(Edit(" ".join(find.split()), " ".join(new.split())))
    if len(edits) > MAX_EDITS:
        problems.append(say("photos.many_edits", count=len(edits), most=MAX_EDITS))
    BadInputError.collect(problems)
    return tuple(edits)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """``text`` after all edits, in order; tags that became empty or doubled are gone."""
    new = text
    for edit in edits:
        pattern = rf"(?<![\w-]){re.escape(edit.find)}(?![\w-])"
        new = re.sub(pattern, lambda _, said=edit.replace: said, new, flags=re.IGNORECASE)
    return text if new == text else ", ".join(dict.fromkeys(split_tags(new)))


def edit_captions(dataset: Dataset, edits: Sequence[Edit]) -> Dataset:
    """The dataset with every caption edited. Text files beside the photos stay as they are.

    Raises:
        BadInputError: an edit takes the trigger word out of a caption.
    """
    if not edits:
        return dataset
    word = dataset.trigger
    entries = tuple(dataclasses.replace(e, caption=edited(e.caption, edits)) for e in dataset.entries)
    if word:
        lost = [e.name for e, old in zip(entries, dataset.entries, strict=True)
                if has_word(old.caption, word) and not has_word(e.caption, word)]  # fmt: skip
        if lost:
            raise BadInputError(say("photos.trigger_taken_out", word=word, n=len(lost), first=lost[0]))
    return dataclasses.replace(dataset, entries=entries)


def split_tags(caption: str) -> list[str]:
    """The parts of a caption between commas, without empty ones."""
    return [tag for part in caption.split(",") if (tag := " ".join(part.split()))]


def tag_counts(dataset: Dataset) -> Counter[str]:
    """How many kept photos hold each tag (the parts between commas, in lower case)."""
    return Counter(tag for e in dataset.kept for tag in {t.lower() for t in split_tags(e.caption)})


def words_in_every_caption(dataset: Dataset) -> tuple[str, ...]:
    """Words that are in the caption of every kept photo, besides trigger, class word and small words.

    They fuse with the trigger word: what is always named together is learned together. Fewer than three
    captions say nothing.
    """
    captions = [_words(e.caption) for e in dataset.kept]
    if len(captions) < _FEW:
        return ()
    common = set.intersection(*map(set, captions))
    known = {*_words(dataset.trigger), *_words(dataset.class_word), *_SMALL_WORDS}
    return tuple(word for word in dict.fromkeys(captions[0]) if word in common - known)


def caption_warnings(dataset: Dataset) -> tuple[Warning_, ...]:
    """What to know about the captions of the kept photos."""
    found = []
    if words := words_in_every_caption(dataset):
        shown = [f"'{word}'" for word in words[:6]]
        found.append(say("photos.word_in_all", words=shown, n=len(words), captions=len(dataset.kept)))
    empty = [e.name for e in dataset.kept if not e.caption]
    if empty and len(empty) < len(dataset.kept):
        found.append(say("photos.no_caption", count=len(empty), of=len(dataset.kept), first=empty[0]))
    return tuple(Warning_("captions", text) for text in found)


def has_word(text: str, word: str) -> bool:
    """Whether ``text`` holds ``word`` as a word of its own, whatever its case."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.lower())
