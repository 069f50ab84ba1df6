"""Test prompts as data: from simple to hard, with the place of the trigger and one named concept each.

A suite is a JSON file (``suites/*.json`` here, or one in the user's folder)::

    {"kind": "lorasmith.prompts", "version": 1, "id": "mine", "title": "My own", "purpose": "character",
     "language": "en", "prompts": [{"id": "smile", "level": "simple",
     "text": "photo of {trigger} {class}, smiling", "concept": "smiling", "check": "smiling"}]}

``concept`` is a part of ``text``, and ``check`` says the same in English, for the embedder that looks for it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from ..config import Format
from ..errors import BadInputError
from ..say import say

FORMAT = Format("lorasmith.prompts", 1)
Level = Literal["simple", "medium", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)
TRIGGER, CLASS = "{trigger}", "{class}"
MAX_PROMPTS = 200


@dataclass(frozen=True)
class TestPrompt:
    """One sentence for the model, and the one thing in it that is looked for in the picture."""

    __test__ = False  # pytest: not a test

    id: str
    text: str
    concept: str
    check: str
    level: Level = "simple"

    def filled(self, trigger: str, class_word: str) -> TestPrompt:
        """The same with the words put in; what is empty leaves no gap."""
        text = self.text.replace(TRIGGER, trigger.strip()).replace(CLASS, class_word.strip())
        return replace(self, text=_tidy(text))


@dataclass(frozen=True)
class PromptSuite:
    """Prompts that are asked together. Wrong ones cannot be made: all problems are named at once."""

    id: str
    title: str
    purpose: Literal["character", "style", "object"]
    language: Literal["en", "ru"]
    prompts: tuple[TestPrompt, ...]

    def __post_init__(self) -> None:
        BadInputError.collect(_problems(self))

    def filled(self, trigger: str, class_word: str) -> PromptSuite:
        """The suite with trigger and class word in their places.

        Raises:
            BadInputError: neither is given: nothing would call the LoRA up.
        """
        if not trigger.strip() and not class_word.strip():
            raise BadInputError(say("verdict.suite_needs_word", title=self.title))
        return replace(self, prompts=tuple(p.filled(trigger, class_word) for p in self.prompts))

    def upto(self, level: Level) -> PromptSuite:
        """The prompts that are at most as hard as ``level``."""
        most = LEVELS.index(level)
        return replace(self, prompts=tuple(p for p in self.prompts if LEVELS.index(p.level) <= most))

    def first(self, n: int) -> PromptSuite:
        """``n`` prompts spread evenly from the simplest to the hardest; all where there are fewer."""
        count = len(self.prompts)
        if n >= count:
            return self
        ranked = sorted(range(count), key=lambda i: LEVELS.index(self.prompts[i].level))
        chosen = {ranked[round(k * (count - 1) / max(1, n - 1))] for k in range(max(1, n))}
        return replace(self, prompts=tuple(self.prompts[i] for i in ranked if i in chosen))

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> PromptSuite:
        """Build a suite from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)

    @classmethod
    def load(cls, path: Path) -> PromptSuite:
        return FORMAT.load(cls, path)


@cache
def shipped_suites() -> tuple[PromptSuite, ...]:
    """The suites that come with Lorasmith, by id."""
    return tuple(PromptSuite.load(path) for path in sorted(_here().glob("*.json")))


def suite_names(folder: Path | None = None) -> list[str]:
    """Ids of the shipped suites, then the file names (without ending) of the user's own in ``folder``."""
    names = [suite.id for suite in shipped_suites()]
    own = sorted(Path(folder).glob("*.json")) if folder is not None and Path(folder).is_dir() else []
    return names + [path.stem for path in own if path.stem not in names]


def find_suite(name: str, folder: Path | None = None) -> PromptSuite:
    """The shipped suite of this id, or the user's file ``name``.json in ``folder``.

    Raises:
        BadInputError: there is none (the known ones are listed), or everything that is wrong with the file.
    """
    for suite in shipped_suites():
        if suite.id == name:
            return suite
    if name not in (known := suite_names(folder)):
        if folder is None:
            raise BadInputError(say("verdict.no_suite", name=name, known=known))
        raise BadInputError(say("verdict.no_suite_in", name=name, folder=folder, known=known))
    return PromptSuite.load(Path(folder or ".") / f"{name}.json")


def _here() -> Path:
    return Path(__file__).with_name("suites")


def _tidy(text: str) -> str:
    """One space between words, none before a comma, no comma twice or at an end."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s*,(\s*,)*\s*", ", ", text)
    return text.strip(" ,")


def _problems(suite: PromptSuite) -> list[str]:
    found = [] if suite.title.strip() else [say("verdict.suite_no_title")]
    if not 1 <= len(suite.prompts) <= MAX_PROMPTS:
        found.append(say("verdict.suite_prompts", n=len(suite.prompts), most=MAX_PROMPTS))
    counts = Counter(prompt.id for prompt in suite.prompts)
    found += [say("verdict.suite_same_id", name=name, n=n) for name, n in counts.items() if n > 1]
    return found + [f"prompt '{p.id}': {problem}" for p in suite.prompts for problem in _prompt_problems(p)]


def _prompt_problems(prompt: TestPrompt) -> list[str]:
    found = []
    if not re.fullmatch(r"[\w-]{1,40}", prompt.id):
        found.append(say("verdict.suite_id"))
    if not prompt.text.strip():
        found.append(say("verdict.suite_empty"))
    found += [
        f"'{name}' is no placeholder, only {TRIGGER} and {CLASS} are"
        for name in re.findall(r"\{[^}]*\}", prompt.text)
        if name not in (TRIGGER, CLASS)
    ]
    if not prompt.concept.strip() or prompt.concept.casefold() not in prompt.text.casefold():
        found.append(say("verdict.suite_concept", concept=prompt.concept))
    if not prompt.check.strip() or not prompt.check.isascii():
        found.append(say("verdict.suite_check", found=prompt.check))
    return found
