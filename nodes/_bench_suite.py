"""Test prompts by name: the shipped sets in two languages, and the user's own files."""

from __future__ import annotations

from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from ._ui import Report

LANGUAGES = ["en", "ru"]
LEVELS = ["simple", "medium", "hard"]


def suite_choices() -> list[str]:
    """Sets without their language, then the user's own suites by file name."""
    from ..lora_train.evaluation.prompts import suite_names

    return list(dict.fromkeys(_without_language(name) for name in suite_names(host.suite_folder())))


def suite_id(choice: str, language: str) -> str:
    """The id of a set in a language; the user's own suites have one language, their own.

    Raises:
        BadInputError: the set does not exist, or not in this language.
    """
    from ..lora_train.evaluation.prompts import suite_names

    names = suite_names(host.suite_folder())
    if f"{choice}.{language}" in names:
        return f"{choice}.{language}"
    if choice in names:
        return choice
    others = [name.rpartition(".")[2] for name in names if _without_language(name) == choice]
    if others:
        raise BadInputError(say("node.suite_languages", name=choice, languages=others))
    raise BadInputError(say("node.no_such_suite", name=choice, known=[*suite_choices()]))


def choose_suite(
    choice: str, language: str, trigger: str, class_word: str, level: str, most: int, dataset: Any
) -> tuple[Any, Report]:
    """The filled suite, and what it asks.

    Args:
        level: the hardest prompts that are asked.
        most: at most so many prompts, spread from simple to hard; 0: all.
        dataset: gives trigger and class word where the fields are empty; may be None.
    """
    from ..lora_train.evaluation.prompts import find_suite

    suite = find_suite(suite_id(choice, language), host.suite_folder())
    suite = suite.upto(level)  # type: ignore[arg-type]
    suite = suite.first(most) if most else suite
    trigger = trigger.strip() or getattr(dataset, "trigger", "")
    class_word = class_word.strip() or getattr(dataset, "class_word", "")
    suite = suite.filled(trigger, class_word)
    lines = [f"{prompt.level}: {prompt.text}" for prompt in suite.prompts]
    details = {"suite": suite.id, "trigger": trigger, "class_word": class_word}
    return suite, Report(say("node.suite", n=len(suite.prompts), title=suite.title), "\n".join(lines), "info", details)


def suite_problem(choice: str | None, language: str | None) -> bool | str:
    """For ``validate_inputs``: True, or why this suite cannot be asked."""
    from ..lora_train.evaluation.prompts import find_suite

    if choice is None or language is None:
        return True
    try:
        find_suite(suite_id(choice, language), host.suite_folder())
    except BadInputError as error:
        return str(error)
    return True


def _without_language(name: str) -> str:
    stem, dot, end = name.rpartition(".")
    return stem if dot and end in LANGUAGES else name
