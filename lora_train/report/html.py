"""The report of a run as one page that needs nothing but itself: pictures inside, no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..evaluation.words import verdict_words
from ..files import write_text
from ..say import say
from .charts import loss_chart
from .markup import data_uri, facts, img, page, section, sign, text
from .paper import DARK, LIGHT
from .sheets import verdict_mark
from .tiles import Tile, crop_tiles, photo_tiles

if TYPE_CHECKING:
    from PIL import Image

    from ..dataset.manifest import Dataset
    from ..evaluation.axes import Axis
    from ..evaluation.diversity import DiversityReport

_THUMBNAIL_PX = 288
"""Twice the size on the page: sharp on dense screens."""


@dataclass(frozen=True)
class Samples:
    """Pictures with and without the LoRA; the same index is the same prompt and seed."""

    prompts: Sequence[str]
    seeds: Sequence[int]
    made: Sequence[Image.Image]
    base: Sequence[Image.Image]


@dataclass(frozen=True)
class Story:
    """Everything the page tells. Parts that are None are left out."""

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...] = ()
    dataset: Dataset | None = None
    losses: Sequence[float] = ()
    loss_steps: Sequence[int] | None = None
    training: str = ""
    """One sentence on what was trained and why."""
    samples: Samples | None = None
    diversity: DiversityReport | None = None
    files: tuple[tuple[str, Path], ...] = ()


def write_report(path: Path, story: Story) -> Path:
    """Write the page, whole or not at all.

    Raises:
        BadInputError: the folder cannot be written.
    """
    write_text(path, report_html(story))
    return path


def report_html(story: Story) -> str:
    """The page as text. All words of the story are escaped."""
    parts = [f'<h1>{text(story.title)}</h1><p class="lead">{text(story.lead)}</p>']
    if story.diversity:
        parts.append(_verdict(story.diversity))
    if story.facts:
        parts.append(facts(story.facts))
    if story.samples and story.diversity:
        parts.append(_samples(story.samples))
    if story.diversity and story.diversity.axes:
        parts.append(_axes(story.diversity))
    if story.dataset:
        parts.append(_photos(story.dataset))
        parts.append(_crops(story.dataset))
    if len(story.losses) > 1:
        parts.append(_loss(story))
    parts.append(_files(story.files))
    style = Path(__file__).with_name("page.css").read_text("utf-8")
    return page(story.title, style, "\n".join(p for p in parts if p))


def _verdict(report: DiversityReport) -> str:
    mark = verdict_mark(report.verdict)
    first = report.advice[0] if report.advice else ""
    verdict = say("report.verdict", name=verdict_words(report.verdict))
    return f'<div class="verdict {mark}">{sign(mark)}<div><strong>{text(verdict)}</strong>{text(first)}</div></div>'


def _photos(dataset: Dataset) -> str:
    tiles = photo_tiles(dataset, _THUMBNAIL_PX)
    warnings = "".join(f"<li>{text(w.text)}</li>" for w in dataset.warnings)
    body = f'<ul class="advice">{warnings}</ul>' if warnings else ""
    return section(say("report.section_photos"), dataset.summary(), body + _tiles(tiles, "tiles"))


def _crops(dataset: Dataset) -> str:
    crops = crop_tiles(dataset, _THUMBNAIL_PX, LIGHT)
    if not crops:
        return ""
    note = say("report.crops_note")
    return section(say("report.section_crops"), note, _tiles(crops, "tiles crops"))


def _tiles(tiles: Sequence[Tile], kind: str) -> str:
    return f'<ul class="{kind}">{"".join(map(_tile, tiles))}</ul>'


def _tile(tile: Tile) -> str:
    picture = text(say("report.no_picture")) if tile.picture is None else img(tile.picture, tile.title)
    mark = sign(tile.mark) if tile.mark else ""
    lines = "".join(f'<div class="why">{text(line)}</div>' for line in tile.lines if line)
    return (
        f'<li class="{tile.mark or ""}"><div class="thumb">{picture}{mark}</div>'
        f'<div class="name">{text(tile.title)}</div>{lines}</li>'
    )


def _loss(story: Story) -> str:
    def chart(dark: bool) -> str:
        theme = DARK if dark else LIGHT
        drawn = loss_chart(story.losses, steps=story.loss_steps, theme=theme, size=(860, 320), title="", scale=2)
        return data_uri(drawn, lossless=True)

    body = (
        f'<picture class="chart"><source media="(prefers-color-scheme: dark)" srcset="{chart(True)}">'
        f'<img src="{chart(False)}" alt="{text(say("report.loss_alt"))}"></picture>'
    )
    return section(say("report.section_training"), story.training, body)


def _samples(samples: Samples) -> str:
    blocks = []
    for prompt in dict.fromkeys(samples.prompts):
        chosen = [i for i, p in enumerate(samples.prompts) if p == prompt]
        rows = "".join(
            _sample_row(label, [(pictures[i], samples.seeds[i]) for i in chosen])
            for label, pictures in ((say("report.without"), samples.base), (say("report.with_lora"), samples.made))
            if pictures
        )
        blocks.append(f"<table><caption>{text(prompt)}</caption>{rows}</table>")
    note = say("report.samples_note")
    return section(say("report.section_samples"), note, f'<div class="samples">{"".join(blocks)}</div>')


def _sample_row(label: str, pictures: Sequence[tuple[Image.Image, int]]) -> str:
    cells = "".join(
        f"<td>{img(picture, say('report.seed', label=label, seed=seed))}</td>" for picture, seed in pictures
    )
    return f"<tr><th>{text(label)}</th>{cells}</tr>"


def _axes(report: DiversityReport) -> str:
    rows = "".join(_axis(axis) for axis in report.axes)
    rest = "".join(f"<li>{text(sentence)}</li>" for sentence in report.advice)
    note = say("report.axes_note")
    return section(say("report.section_axes"), note, f'<ul class="axes">{rows}</ul><ul class="advice">{rest}</ul>')


def _axis(axis: Axis) -> str:
    mark = {"ok": "keep", "watch": "warn", "bad": "reject", "not checked": "none"}[axis.state]
    sure = axis.is_sure or mark == "none"
    said = axis.text if sure else say("report.unsure", text=axis.text)
    name = say(f"verdict.axis_{axis.name}")
    return f'<li class="{mark}">{sign(mark)}<b>{text(name)}</b><span>{text(said)}</span>{_bar(axis)}</li>'


def _bar(axis: Axis) -> str:
    if axis.value is None or not 0 <= axis.value <= 1.5:
        return ""
    top = max(1.0, axis.value)

    def percent(value: float) -> float:
        return round(100 * min(max(value / top, 0.0), 1.0), 2)

    parts = []
    if axis.low is not None and axis.high is not None:
        low, high = percent(axis.low), percent(axis.high)
        parts.append(f'<i class="span" style="left:{low}%;width:{round(high - low, 2)}%"></i>')
    parts.append(f'<i class="value" style="left:{percent(axis.value)}%"></i>')
    if axis.limit is not None:
        parts.append(f'<i class="limit" style="left:{percent(axis.limit)}%"></i>')
    return f'<div class="bar" aria-hidden="true">{"".join(parts)}</div>'


def _files(files: tuple[tuple[str, Path], ...]) -> str:
    rows = "".join(f"<div>{text(name)}: <code>{text(path)}</code></div>" for name, path in files)
    return f"<footer>{rows}</footer>" if rows else ""
