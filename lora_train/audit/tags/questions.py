"""The questions as data: answers with prompts, some of which stand for a code of the audit.

A question is a choice between answers that keep everything else the same ("a person holding a drink",
"a person with empty hands"). ``prompts`` are put into the file's templates, ``texts`` are taken as
they are. Answers without a code are the contrast.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from ...config import Format, decode, read_json
from ...errors import BadInputError
from ...say import say

FORMAT = Format("lorasmith.tags", 1)
MODELS = Format("lorasmith.tag_models", 1)
FOLDER = Path(__file__).parent

Region = Literal["whole", "face", "upper"]


@dataclass(frozen=True)
class TagAnswer:
    label: str
    prompts: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    code: str = ""
    """What the audit calls it; empty for a contrast."""


@dataclass(frozen=True)
class TagQuestion:
    """One choice; ``region`` is the part of the photo that is looked at."""

    id: str
    title: str
    region: Region
    answers: tuple[TagAnswer, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(a.code for a in self.answers if a.code))


@dataclass(frozen=True)
class TagFile:
    """Questions and the templates that their prompts are put into."""

    templates: tuple[str, ...]
    questions: tuple[TagQuestion, ...]

    def __post_init__(self) -> None:
        problems = [say("audit.tag_template", template=t) for t in self.templates if "{}" not in t]
        for q in self.questions:
            if len(q.answers) < 2 or not q.codes:
                problems.append(say("audit.tag_question", name=q.id))
            problems += [say("audit.tag_answer", label=a.label, question=q.id) for a in q.answers if not self.texts(a)]
        BadInputError.collect(problems)

    def texts(self, answer: TagAnswer) -> tuple[str, ...]:
        """The prompt ensemble of an answer."""
        return (*answer.texts, *(t.replace("{}", p) for p in answer.prompts for t in self.templates))

    def digest(self) -> str:
        """16 hex digits that change with any word that is put to the model."""
        words = [[q.id, q.region, [[a.label, a.code, self.texts(a)] for a in q.answers]] for q in self.questions]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Calibration:
    """p = 1 / (1 + exp(-slope * (margin - middle))), Platt 1999; margin: cosine of the best answer with the
    code minus that of the best other answer."""

    slope: float
    middle: float
    source: str
    questions: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Slope and middle of single questions, by id."""

    def of(self, question: str) -> tuple[float, float]:
        return self.questions.get(question, (self.slope, self.middle))


@cache
def load_tag_questions(model: str = "", path: Path | None = None) -> TagFile:
    """The questions in ``path``, else those that ``model`` (an open_clip config name) has of its own, else the usual.

    Raises:
        BadInputError: missing, no JSON, or not as described in this module.
    """
    own = FOLDER / f"{model}.json"
    path = path or (own if model and own.is_file() else FOLDER / "questions.json")
    return decode(TagFile, FORMAT.fields(read_json(path), path.name), path.name)


@cache
def calibration_of(model: str) -> Calibration:
    """How to read the margins of ``model``; a strict default for models that nobody calibrated."""
    rows = MODELS.fields(read_json(FOLDER / "models.json"))
    return decode(Calibration, rows.get(model, rows["default"]), "models.json")
