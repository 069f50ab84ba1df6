"""The verdict on generated pictures, as a report, one labelled picture, and copies beside their photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..lora_train.say import say
from . import _host as host
from ._bench_eyes import open_eyes
from ._bench_saved import TONES
from ._bench_test import reference_of
from ._bench_ui import copies_payload
from ._pictures import verdict_sheet
from ._ui import Report, show

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Checked:
    """What the node gives."""

    found: Any
    """``lora_train.evaluation.verdict.DiversityReport``."""
    report: Report
    ui: dict[str, list[Any]]


def check(
    images: Sequence[Any], base_images: Sequence[Any], dataset: Any, prompts: Sequence[str], eyes: str
) -> Checked:
    """Judge pictures that came as batches, as a list, or both.

    Args:
        images: IMAGEs made with the LoRA.
        base_images: IMAGEs of the same prompts and seeds without it; empty when there are none.
        dataset: the training photos, or None.
        prompts: what was asked for: one for all pictures, or one for each; empty texts ask nothing.

    Raises:
        BadInputError: there are several prompts, but not one for each picture.
    """
    from ..lora_train.evaluation.diversity import judge_diversity
    from ..lora_train.evaluation.words import verdict_words

    made, made_notes = usable(images, "picture")
    base, base_notes = usable(base_images, "base picture")
    found = judge_diversity(
        [picture for _, picture in made],
        base_images=paired(made, base, len(prompts)) or None,
        prompt=prompt_of(prompts, [at for at, _ in made], sum(len(batch) for batch in images)),
        trigger="" if dataset is None else dataset.trigger,
        **reference_of(dataset).asked,
        notes=[*made_notes, *base_notes],
        observer=host.HostObserver(),
        **open_eyes(eyes),
    )
    title = say("report.verdict", name=verdict_words(found.verdict))
    report = Report(title, in_words(found), TONES.get(found.verdict, "bad"), found.to_json())
    pictures = [picture for _, picture in made]
    shown = [verdict_sheet(pictures, paired(made, base, len(prompts)) or None, found)] if pictures else []
    return Checked(found, report, show(report, shown) | copies_payload(found, pictures, dataset))


Numbered = list[tuple[int, "Image"]]


def usable(batches: Sequence[Any], kind: str) -> tuple[Numbered, tuple[str, ...]]:
    """The pictures that show something, with their places, and a sentence about the others."""
    from ..lora_train.evaluation.intake import usable_pictures

    arrays = [one[..., :3].float().cpu().numpy() for batch in batches for one in batch]
    found = usable_pictures(arrays, kind=kind)
    return list(zip(found.kept, found.pictures, strict=True)), found.notes


def paired(made: Numbered, base: Numbered, prompts: int) -> list[Image]:
    """The base pictures; with a prompt for each picture, those in the same places."""
    if prompts <= 1:
        return [picture for _, picture in base]
    there = dict(base)
    return [there[at] for at, _ in made if at in there] if all(at in there for at, _ in made) else []


def prompt_of(prompts: Sequence[str], kept: Sequence[int], count: int) -> str | list[str] | None:
    """One prompt for all, or one for each usable picture; None where nothing was asked."""
    from ..lora_train.errors import BadInputError

    said = [text.strip() for text in prompts]
    if len(said) == count and count > 1:
        return [said[at] for at in kept] if any(said) else None
    if len(set(said)) > 1:
        raise BadInputError(say("node.prompts_number", prompts=len(said), pictures=count))
    return said[0] if said and said[0] else None


def in_words(found: Any) -> str:
    """Axes, habits, faults, notes and advice, one line each."""
    lines = [line.removeprefix("- ").replace("> ", "→ ", 1) for line in found.text.split("\n")[1:]]
    parts = found.parts
    if parts and parts.subject and parts.place:
        lines.insert(1, say("node.variety_apart", subject=parts.subject.value, place=parts.place.value))
    spreads = [spread.text for spread in found.spreads if len(spread.counts) > 1]
    return "\n".join(lines + ([say("node.seen", spreads=spreads)] if spreads else []))
