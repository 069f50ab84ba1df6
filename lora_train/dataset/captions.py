"""Captions with a trigger word: the one word that will call up what the LoRA learned."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from string import Formatter

from ..errors import BadInputError
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
        problems.append(f"The class word '{class_word}' holds brackets. Use words such as 'woman' or 'dog'.")
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
        return ["The trigger word is empty. Give one rare word, such as 'ohwx'."]
    problems = []
    if len(trigger) > MAX_TRIGGER_LENGTH:
        problems.append(f"The trigger word has {len(trigger)} letters; at most {MAX_TRIGGER_LENGTH} are possible.")
    if bad := sorted(set(re.findall(r"[^\w-]", trigger))):
        shown = " ".join("a space" if c.isspace() else f"'{c}'" for c in bad)
        problems.append(
            f"The trigger word '{trigger[:40]}' holds {shown}. Use one word of letters, digits, '_' and "
            "'-'; what it is (woman, dog, painting) belongs into the class word."
        )
    if not re.search(r"\w", trigger):
        problems.append(f"The trigger word '{trigger}' has no letter.")
    return problems


def _template_problems(template: str) -> list[str]:
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        return [f"The caption template '{template}' cannot be read: {error}."]
    problems = [
        f"The caption template has no field '{{{name}}}'; there are {{trigger}} and {{class_word}}."
        for name in sorted(fields - _FIELDS)
    ]
    if "{trigger}" not in template:
        problems.append("The caption template needs {trigger}, or the LoRA learns no trigger word.")
    return problems


def _captioned(entry: Entry, trigger: str, plain: str, tags: bool) -> Entry:
    own = entry.photo.caption
    if own is not None:
        plain = own if has_word(own, trigger) else f"{plain}, {own}"
    elif tags and entry.tags:
        plain = ", ".join((plain, *entry.tags))
    return dataclasses.replace(entry, caption=plain)
