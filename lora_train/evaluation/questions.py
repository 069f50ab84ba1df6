"""The zero-shot questions that are asked about a picture: words as data, in questions.json.

A question has ``answers``; each is a word put into the question's ``templates``, or an object with its
own ``label`` and ``prompts`` (and ``absent`` if it names nothing). ``place`` says how a prompt would
name the answer ("{} hair"), and ``identity`` whether the answer belongs to the person (hair colour) or
to the moment (smiling).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..say import say
from .embed import Embeds, answer_probabilities

_WORD = r"[\w-]+"


@dataclass(frozen=True)
class Question:
    """One thing to know about a picture; exactly one answer holds."""

    id: str
    title: str
    identity: bool
    labels: tuple[str, ...]
    """How each answer reads: "black hair"."""
    prompts: tuple[tuple[str, ...], ...]
    """The prompt ensemble of each answer."""
    absent: frozenset[int] = frozenset()
    """Answers that name nothing ("no beard"): too common to tell a person by."""


def load_questions(path: Path | None = None) -> tuple[Question, ...]:
    """The questions of ``path``, or the ones that ship.

    Raises:
        BadInputError: the file is missing, no JSON, or not as described in this module.
    """
    return _shipped() if path is None else _parse(Path(path))


@cache
def _shipped() -> tuple[Question, ...]:
    return _parse(Path(__file__).with_name("questions.json"))


def _parse(path: Path) -> tuple[Question, ...]:
    try:
        return tuple(_question(q) for q in json.loads(path.read_text("utf-8"))["questions"])
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise BadInputError(say("verdict.no_questions", name=path.name, why=repr(error))) from error


def _question(value: dict[str, Any]) -> Question:
    labels, prompts = [], []
    for answer in value["answers"]:
        own = isinstance(answer, dict)
        labels.append(answer["label"] if own else value["place"].replace("{}", answer))
        prompts.append(tuple(answer["prompts"] if own else (t.replace("{}", answer) for t in value["templates"])))
    if len(labels) < 2 or not all(prompts):
        raise KeyError(f"question '{value['id']}' needs two answers with prompts")
    absent = frozenset(i for i, a in enumerate(value["answers"]) if isinstance(a, dict) and a.get("absent"))
    return Question(value["id"], value["title"], bool(value["identity"]), tuple(labels), tuple(prompts), absent)


def ask(embedder: Embeds, images: np.ndarray, questions: Sequence[Question]) -> dict[str, np.ndarray]:
    """Probabilities (n, k) by question id for the unit rows ``images`` (n, d)."""
    return {q.id: answer_probabilities(embedder, images, q.prompts) for q in questions}


def asked_for(prompt: str, questions: Sequence[Question]) -> dict[str, int]:
    """Which answers a prompt names: question id -> index of the answer; the longest name wins."""
    text = _words(prompt)
    found = {}
    for question in questions:
        hits = [(len(label), i) for i, label in enumerate(question.labels) if _words(label) in text]
        if hits:
            found[question.id] = max(hits)[1]
    return found


def _words(text: str) -> str:
    return f" {' '.join(re.findall(_WORD, text.lower()))} "
