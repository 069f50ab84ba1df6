"""Captions with a trigger word: the one word that will call up what the LoRA learned."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from string import Formatter

from ..errors import BadInputError
from ..say import say
from .edits import Edit, caption_warnings, edit_captions, has_word
from .manifest import Dataset, Entry
from .tags import tag_dataset

__all__ = ["DEFAULT_TEMPLATE", "caption_dataset", "has_word", "trigger_problems"]

DEFAULT_TEMPLATE = "photo of {trigger} {class_word}"
MAX_TRIGGER_LENGTH = 32
WARNING = "captions"
_FIELDS = {"trigger", "class_word"}


def caption_dataset(
    dataset: Dataset,
    trigger: str,
    class_word: str = "person",
    template: str = DEFAULT_TEMPLATE,
    *,
    tags: bool = False,
    edits: Sequence[Edit] = (),
) -> Dataset:
    """Give every photo a caption that holds ``trigger``.

    A photo gets ``template`` with ``{trigger}`` and ``{class_word}`` filled in. A sidecar caption is
    kept: it follows after a comma, or stands alone where it names the trigger already. So every
    caption begins as prompts do: trained on "ohwx, on a beach" and asked for "photo of ohwx person,
    on a beach", the starter drew the person in 3 of 16 pictures instead of 13.

    With ``tags`` a photo without a caption of its own also gets the words of :mod:`.tags`. ``edits`` come
    last. What to know about the result is in the dataset's warnings, with the code "captions".

    Raises:
        BadInputError: lists everything wrong with trigger, class word and template.
    """
    trigger, class_word, template = trigger.strip(), " ".join(class_word.split()), template.strip()
    problems = trigger_problems(trigger) + _template_problems(template)
    if re.search(r"[(){}\[\]<>\x00-\x1f]", class_word):
        problems.append(say("photos.class_word_brackets", word=class_word))
    BadInputError.collect(problems)
    plain = template.replace("{trigger}", trigger).replace("{class_word}", class_word)
    plain = " ".join(plain.split())
    tagged = tag_dataset(dataset) if tags else dataset
    entries = tuple(_captioned(e, trigger, plain, tags) for e in tagged.entries)
    others = tuple(w for w in dataset.warnings if w.code != WARNING)
    captioned = dataclasses.replace(tagged, entries=entries, trigger=trigger, class_word=class_word, warnings=others)
    captioned = edit_captions(captioned, edits)
    return dataclasses.replace(captioned, warnings=(*others, *caption_warnings(captioned)))


def trigger_problems(trigger: str) -> list[str]:
    """What is wrong with a trigger word; an empty list when it can be used."""
    trigger = trigger.strip()
    if not trigger:
        return [say("photos.trigger_empty")]
    problems = []
    if len(trigger) > MAX_TRIGGER_LENGTH:
        problems.append(say("photos.trigger_long", count=len(trigger), most=MAX_TRIGGER_LENGTH))
    if bad := sorted(set(re.findall(r"[^\w-]", trigger))):
        shown = " ".join(say("photos.a_space") if c.isspace() else f"'{c}'" for c in bad)
        problems.append(say("photos.trigger_signs", trigger=trigger[:40], signs=shown))
    if not re.search(r"\w", trigger):
        problems.append(say("photos.trigger_no_letter", trigger=trigger))
    return problems


def _template_problems(template: str) -> list[str]:
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        return [say("photos.template_broken", template=template, why=error)]
    problems = [say("photos.template_field", name=name) for name in sorted(fields - _FIELDS)]
    if "{trigger}" not in template:
        problems.append(say("photos.template_needs_trigger"))
    return problems


def _captioned(entry: Entry, trigger: str, plain: str, tags: bool) -> Entry:
    own = entry.photo.caption
    if own is not None:
        plain = own if has_word(own, trigger) else f"{plain}, {own}"
    elif tags and entry.tags:
        plain = ", ".join((plain, *entry.tags))
    return dataclasses.replace(entry, caption=plain)
