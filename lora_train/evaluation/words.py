"""Titles and answers of the questions, and names of verdicts, in the reader's language.

In data, in prompts and in captions they stay what they are in the question files: English words.
"""

from __future__ import annotations

import re

from ..say import knows, say


def title_words(question: str, title: str) -> str:
    """What a question asks for; ``title`` where it is none of ours."""
    key = f"looks.title_{question}"
    return say(key) if knows(key) else title


def label_words(label: str) -> str:
    """An answer such as "on a beach" or "smiling or laughing"; a word of other question files stays as it is."""
    parts = label.split(" or ")
    if len(parts) > 1:
        return say("looks.either", labels=[label_words(part) for part in parts])
    key = f"looks.of_{re.sub('[^a-z]+', '_', label.lower())}"
    return say(key) if knows(key) else label


def verdict_words(verdict: str) -> str:
    """A verdict such as "copies training photos"."""
    key = f"verdict.name_{verdict.replace(' ', '_')}"
    return say(key) if knows(key) else verdict
