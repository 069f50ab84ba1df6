"""Tests of LoRAs on the disk: ``output/lorasmith_tests/<name>`` with a report and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from ..lora_train.files import inside
from ..lora_train.say import say
from . import _host as host
from ._types import StackRow
from ._ui import Report, Tone

if TYPE_CHECKING:
    from PIL.Image import Image

NEW = "(run a new test)"
TONES: dict[str, Tone] = {"good": "good", "not enough images": "info", "underfit": "warn"}
_FILE = "report.json"


@dataclass(frozen=True)
class Judged:
    """Pictures from elsewhere that were judged. Travels on LORASMITH_TEST too."""

    report: Any
    """``lora_train.evaluation.verdict.DiversityReport``."""


@dataclass(frozen=True)
class Tested:
    """A judged test. Travels on LORASMITH_TEST."""

    name: str
    """Of its folder in ``output/lorasmith_tests``."""
    folder: Path
    report: Any
    """``lora_train.evaluation.bench.TestReport``."""
    made: Sequence[Image]
    base: Sequence[Image]
    stack: tuple[StackRow, ...] = ()
    """The LoRAs that were tested; empty when the report was opened again."""
    sampled: int = 0
    """Pictures that were not known from an earlier run."""


def saved_tests() -> list[str]:
    """The names of all saved tests, the newest first."""
    found = host.tests_folder().glob(f"*/{_FILE}")
    return [path.parent.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def free_folder(name: str) -> Path:
    """A new folder for a test; a name that is taken gets a number.

    Raises:
        BadInputError: the name is empty or leaves the folder.
    """
    first = inside(host.tests_folder(), name)
    folder, number = first, 1
    while folder.exists():
        number += 1
        folder = first.with_name(f"{first.name}_{number}")
    return folder


def open_test(name: str) -> Tested:
    """A saved test with its pictures.

    Raises:
        BadInputError: there is none of this name, or its files are damaged.
    """
    from PIL import Image

    from ..lora_train.evaluation.bench import load_report, report_pictures

    folder = inside(host.tests_folder(), name)
    if not (folder / _FILE).is_file():
        raise BadInputError(say("node.no_test", name=name, folder=host.tests_folder()))
    report = load_report(folder)
    made, base = (
        [Image.open(path).convert("RGB") for path in paths or ()] for paths in report_pictures(folder, report)
    )
    return Tested(folder.name, folder, report, made, base)


def saved_mark(name: str) -> str:
    """Changes when a saved test does; empty for a new one."""
    path = host.tests_folder() / name / _FILE
    return str(path.stat().st_mtime_ns) if name != NEW and path.is_file() else ""


def saved_problem(name: str | None) -> bool | str:
    """For ``validate_inputs``: True, or why a test cannot be opened."""
    if name in (None, NEW) or name in saved_tests():
        return True
    return say("node.test_gone", name=name, new=NEW)


def report_of(tested: Tested) -> Report:
    """Verdict, axes and advice."""
    from ..lora_train.evaluation.words import verdict_words

    found = tested.report
    lines = [line.removeprefix("- ").replace("> ", "→ ", 1) for line in found.text.split("\n")[1:]]
    known = len(tested.made) + len(tested.base) - tested.sampled
    if tested.stack and known:
        lines.append(say("node.known_before", n=known))
    lines.append(say("node.saved_in", folder=f"output/lorasmith_tests/{tested.name}"))
    title = say("report.verdict", name=verdict_words(found.verdict))
    return Report(title, "\n".join(lines), TONES.get(found.verdict, "bad"), found.to_json())
