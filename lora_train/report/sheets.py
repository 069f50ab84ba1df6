"""Whole sheets: all photos with verdicts, all crops, all samples with and without the LoRA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..evaluation.words import verdict_words
from ..say import say
from .paper import LIGHT, Mark, Theme, mark_picture, wrap, write
from .tiles import Tile, crop_tiles, draw_tile, photo_tiles, tile_height

if TYPE_CHECKING:
    from PIL import Image

    from ..dataset.manifest import Dataset
    from ..evaluation.diversity import DiversityReport

_GAP_PX, _MARGIN_PX, _TITLE_PX, _LABEL_PX = 14, 20, 18, 118


@dataclass(frozen=True)
class SampleRow:
    """Pictures of one kind, one for each column of a sample sheet."""

    label: str
    pictures: Sequence[Image.Image]


def contact_sheet(
    tiles: Sequence[Tile],
    *,
    title: str = "",
    columns: int | None = None,
    side_px: int = 168,
    text_lines: int = 3,
    theme: Theme = LIGHT,
) -> Image.Image:
    """Tiles in rows under a title. RGB; ``columns`` is chosen for a wide sheet when None."""
    from PIL import Image, ImageDraw

    columns = columns or max(1, min(8, len(tiles), round((1.6 * max(len(tiles), 1)) ** 0.5)))
    rows = -(-len(tiles) // columns)
    high = tile_height(side_px, text_lines)
    head = _MARGIN_PX + (_TITLE_PX + 16 if title else 0)
    width = max(2 * _MARGIN_PX + columns * (side_px + _GAP_PX) - _GAP_PX, 260)
    sheet = Image.new("RGB", (width, head + rows * (high + _GAP_PX) + _MARGIN_PX - _GAP_PX * bool(rows)), theme.paper)
    if title:
        lines = wrap(title, _TITLE_PX, width - 2 * _MARGIN_PX, 1)
        write(ImageDraw.Draw(sheet), (_MARGIN_PX, _MARGIN_PX), lines[0], _TITLE_PX, theme.ink)
    for i, tile in enumerate(tiles):
        at = _MARGIN_PX + i % columns * (side_px + _GAP_PX), head + i // columns * (high + _GAP_PX)
        sheet.paste(draw_tile(tile, side_px, text_lines, theme), at)
    return sheet


def dataset_sheet(dataset: Dataset, *, theme: Theme = LIGHT, side_px: int = 168) -> Image.Image:
    """Every photo with its verdict and the reasons, under the summary."""
    return contact_sheet(photo_tiles(dataset, side_px), title=dataset.summary(), theme=theme, side_px=side_px)


def crop_sheet(dataset: Dataset, *, theme: Theme = LIGHT, side_px: int = 168) -> Image.Image:
    """Every kept photo with its crop box, size and caption."""
    tiles = crop_tiles(dataset, side_px, theme)
    return contact_sheet(tiles, title=say("report.crops", n=len(tiles)), theme=theme, side_px=side_px)


def sample_sheet(
    rows: Sequence[SampleRow],
    *,
    columns: Sequence[str] = (),
    title: str = "",
    cell_px: int = 128,
    theme: Theme = LIGHT,
) -> Image.Image:
    """A labelled grid: one row a kind (with and without the LoRA), one column a seed or prompt. RGB."""
    from PIL import Image, ImageDraw

    count, pitch = max((len(r.pictures) for r in rows), default=0), cell_px + 8
    head = _MARGIN_PX + (_TITLE_PX + 14 if title else 0) + (34 if columns else 0)
    left = _MARGIN_PX + _LABEL_PX
    size = left + max(count, 1) * pitch + _MARGIN_PX, head + len(rows) * pitch + _MARGIN_PX
    sheet = Image.new("RGB", size, theme.paper)
    draw = ImageDraw.Draw(sheet)
    title_line = "".join(wrap(title, _TITLE_PX, size[0] - 2 * _MARGIN_PX, 1))
    write(draw, (_MARGIN_PX, _MARGIN_PX), title_line, _TITLE_PX, theme.ink)
    for j, name in enumerate(columns[:count]):
        for k, line in enumerate(wrap(name, 11, cell_px, 2)):
            write(draw, (left + j * pitch, head - 32 + 14 * k), line, 11, theme.muted)
    for i, row in enumerate(rows):
        for k, line in enumerate(wrap(row.label, 13, _LABEL_PX - 12, 4)):
            write(draw, (_MARGIN_PX, head + i * pitch + 6 + 17 * k), line, 13, theme.ink)
        for j, picture in enumerate(row.pictures):
            sheet.paste(_cell(picture, cell_px, theme), (left + j * pitch, head + i * pitch))
    return sheet


def diversity_sheet(
    made: Sequence[Image.Image],
    base: Sequence[Image.Image] | None,
    report: DiversityReport,
    *,
    theme: Theme = LIGHT,
    per_row: int = 8,
) -> Image.Image:
    """The verdict in words above the pictures with the LoRA and those of the base, seed under seed."""
    from PIL import Image, ImageDraw

    rows = []
    for start in range(0, max(len(made), 1), per_row):
        rows.append(SampleRow(say("report.with_lora"), made[start : start + per_row]))
        if base:
            rows.append(SampleRow(say("report.without"), base[start : start + per_row]))
    grid = sample_sheet(rows, theme=theme)
    width, lines = max(grid.width, 640), []
    for axis in report.axes:
        lines += [(say(f"verdict.axis_{axis.name}"), line) for line in wrap(axis.text, 13, width - 160, 2)]
    head = _MARGIN_PX + 40 + 20 * len(lines)
    sheet = Image.new("RGB", (width, head + grid.height), theme.paper)
    draw = ImageDraw.Draw(sheet)
    mark = verdict_mark(report.verdict)
    sign = mark_picture(mark, 24, theme)
    sheet.paste(sign, (_MARGIN_PX, _MARGIN_PX), sign)
    write(draw, (_MARGIN_PX + 34, _MARGIN_PX + 1), verdict_words(report.verdict), 20, theme.of(mark))
    for k, (name, line) in enumerate(lines):
        y = _MARGIN_PX + 40 + 20 * k
        if k == 0 or lines[k - 1][0] != name:
            write(draw, (_MARGIN_PX, y), name, 13, theme.ink)
        write(draw, (_MARGIN_PX + 100, y), line, 13, theme.muted)
    sheet.paste(grid, (0, head))
    return sheet


def verdict_mark(verdict: str) -> Mark:
    """good is kept, doubtful verdicts warn, the others reject."""
    return {"good": "keep", "underfit": "warn", "not enough images": "warn"}.get(verdict, "reject")  # type: ignore[return-value]


def _cell(picture: Image.Image, side_px: int, theme: Theme) -> Image.Image:
    from PIL import Image, ImageOps

    size, way = (side_px, side_px), Image.Resampling.LANCZOS
    return ImageOps.pad(picture.convert("RGB"), size, way, color=theme.panel)
