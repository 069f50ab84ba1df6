"""From photos, training and test to causes and cures, as the graph editor can apply them."""

from __future__ import annotations

from typing import Any

from ..lora_train.config import shown
from ..lora_train.dataset.overrides import photo_id
from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from ._bench_saved import Tested
from ._thumbs import register
from ._ui import Report

VERSION = 1


def diagnose_all(dataset: Any, test: Any, lora_name: str, plan: Any) -> tuple[Any, list[str]]:
    """The diagnosis, and why the training run could not be read (empty when it was, or none was named).

    Args:
        test: a :class:`Tested` or ``Judged``, or None.
        lora_name: the LoRA whose training is looked at; empty: the tested one.

    Raises:
        BadInputError: nothing is connected.
    """
    from ..lora_train.evaluation.diagnosis import diagnose

    training, missing = _training(lora_name or _tested_lora(test))
    report = None if test is None else test.report
    return diagnose(dataset=dataset, training=training, report=report, plan=plan), missing


def diagnosis_report(found: Any, missing: list[str]) -> Report:
    """The causes in words, the likeliest first."""
    if not found.causes:
        title, tone = (say("node.nothing_to_cure"), "good" if found.verdict == "good" else "info")
    else:
        title, tone = (say("node.likeliest", cause=found.causes[0].title), "warn")
    text = "\n".join([*found.text.splitlines(), *(f"? {sentence}" for sentence in missing)])
    return Report(title, text, tone, shown(found))  # type: ignore[arg-type]


def diagnosis_payload(found: Any, missing: list[str], dataset: Any, test: Any) -> dict[str, list[Any]]:
    """Causes, evidence and cures for the view; photos with what a decision about them needs."""
    entries = {} if dataset is None else {entry.name: entry for entry in dataset.entries}
    tokens = register(entry.photo for entry in entries.values())
    named = {name for cause in found.causes for cure in cause.cures for name in _names(cure)}
    photos = {
        name: {"token": tokens[name], "id": photo_id(entries[name].photo)} for name in sorted(named) if name in entries
    }
    said = {
        "version": VERSION,
        "verdict": found.verdict,
        "causes": shown(found.causes),
        "unknown": [*found.unknown, *missing],
        "photos": photos,
        "lora": _tested_lora(test),
    }
    return {"lorasmith_diagnosis": [said]}


def _names(cure: Any) -> list[str]:
    return list(cure.value) if cure.op == "drop_photos" else []


def _tested_lora(test: Any) -> str:
    return test.stack[0][0] if isinstance(test, Tested) and test.stack else ""


def _training(lora_name: str) -> tuple[Any, list[str]]:
    from ..lora_train.evaluation.training_facts import TrainingFacts

    if not lora_name:
        return None, []
    try:
        return TrainingFacts.read(host.lora_path(lora_name)), []
    except BadInputError as error:  # a LoRA from elsewhere: the rest can still be judged
        return None, [str(error)]
