"""Strength against strength or checkpoint: one base, a cell for each combination, and the one to use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from ..lora_train.files import whole, write_json
from ..lora_train.say import say
from . import _host as host
from ._apply_stack import apply_stack
from ._bench_eyes import open_eyes
from ._bench_saved import free_folder
from ._bench_shoot import Shooting, Sitting, Studio, require
from ._bench_test import Asked, plan, reference_of, words_of
from ._types import StackRow
from ._ui import Report

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_CELLS = 64
LIMIT = 4.0
"""Strengths lie between minus this and this, as in LoRA loaders."""
_SHOWN = 4
"""Pictures of a cell on the sheet."""


@dataclass(frozen=True)
class Cell:
    """One combination: the stack that makes it, and how it is called."""

    strengths: tuple[float, ...]
    checkpoint: str
    stack: tuple[StackRow, ...]

    @property
    def label(self) -> str:
        return "at " + " / ".join(
            [*(f"{s:g}" for s in self.strengths), *([self.checkpoint] if self.checkpoint else [])]
        )


@dataclass(frozen=True)
class Gridded:
    """A scored grid with its pictures."""

    name: str
    folder: Path
    found: Any
    """``lora_train.evaluation.grid.StrengthGrid``; its cells are in the order of ``cells``."""
    cells: tuple[Cell, ...]
    shots: Sequence[Any]
    made: Sequence[Sequence[Image]]
    columns: int
    sampled: int

    @property
    def best(self) -> Cell | None:
        return None if self.found.suggested is None else self.cells[self.found.suggested]


def run_grid(
    model: Any, clip: Any, vae: Any, cells: Sequence[Cell], columns: int, asked: Asked, dataset: Any, name: str
) -> Gridded:  # fmt: skip
    """Take the pictures of every cell, score them, save them.

    Raises:
        BadInputError: something is not connected, or the name leaves the folder.
    """
    from ..lora_train.evaluation.grid import score_cells

    folder, shots, photos = free_folder(name), plan(asked, dataset), reference_of(dataset)
    require(model, clip, vae)
    sittings = [Sitting("without the LoRA", model, clip)]
    sittings += [Sitting(cell.label, *apply_stack(model, clip, cell.stack, 1.0)[:2]) for cell in cells]
    shooting = Shooting(shots, sittings, Studio(vae, asked.how, asked.negative))
    shooting.run()
    host.HostObserver().say(say("node.scoring_cells"))
    base, *made = shooting.made
    trigger, class_word = words_of(dataset)
    scored = [((cell.strengths, cell.checkpoint), pictures) for cell, pictures in zip(cells, made, strict=True)]
    found = score_cells(
        scored, base, shots, reference=photos.asked["reference"], **open_eyes(asked.clip_model, asked.suite.purpose),
        purpose=asked.suite.purpose, trigger=trigger, class_word=class_word,
    )  # fmt: skip
    done = Gridded(folder.name, folder, found, tuple(cells), shots, made, columns, shooting.sampled)
    _save(done)
    return done


# -- which cells ----------------------------------------------------------------------------------


def cells_of(stack: Sequence[StackRow], first: str, second: str, with_steps: bool) -> tuple[list[Cell], int]:
    """Every combination, row by row, and how many are in a row.

    Columns are the strengths of the first LoRA; rows those of the second one, or the saved steps of the first
    one's training.

    Raises:
        BadInputError: lists everything that cannot be read, or says how many cells are too many.
    """
    if not stack:
        raise BadInputError(say("node.no_lora_in_stack"))
    if second.strip() and len(stack) < 2:
        raise BadInputError(say("node.needs_second"))
    columns = strengths_of(first, "strengths")
    rows = strengths_of(second, "second_strengths") if second.strip() else [None]
    files = [*(saved_steps(stack[0][0]) if with_steps else []), stack[0][0]]
    if with_steps and len(files) == 1:
        example = f"{Path(stack[0][0]).stem}-000500.safetensors"
        raise BadInputError(say("node.no_saved_step", name=stack[0][0], example=example))
    count = len(columns) * len(rows) * len(files)
    if count > MAX_CELLS:
        raise BadInputError(say("node.many_cells", n=count, most=MAX_CELLS))
    cells = [_cell(stack, file, a, b, len(files) > 1) for file, b, a in product(files, rows, columns)]
    return cells, len(columns)


def strengths_of(text: str, name: str) -> list[float]:
    """Numbers separated by commas or spaces, each once, in the order given.

    Raises:
        BadInputError: lists everything that is no number between -4 and 4.
    """
    said = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    problems = [say("node.no_strength_in", word=word, name=name) for word in said if not _is(word)]
    problems += [] if said else [say("node.strengths_empty", name=name)]
    BadInputError.collect(problems)
    return list(dict.fromkeys(float(word) for word in said))


def saved_steps(lora: str) -> list[str]:
    """LoRAs of the same training at earlier steps, as trainers name them, from the first to the last."""
    stem = lora.removesuffix(".safetensors")
    pattern = re.compile(rf"{re.escape(stem)}[-_](?:step|epoch|e|s)?[-_]?(\d{{3,}})\.safetensors")
    found = [(int(match[1]), name) for name in host.lora_names() if (match := pattern.fullmatch(name))]
    return [name for _, name in sorted(found)]


def _is(word: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", word)) and abs(float(word)) <= LIMIT


def _cell(stack: Sequence[StackRow], file: str, first: float, second: float | None, named: bool) -> Cell:
    head = _at((file, *stack[0][1:]), first)
    rest = list(stack[1:]) if second is None else [_at(stack[1], second), *stack[2:]]
    strengths = (first,) if second is None else (first, second)
    return Cell(strengths, Path(file.replace("\\", "/")).stem if named else "", (head, *rest))


def _at(row: StackRow, strength: float) -> StackRow:
    """The row at another strength; the text encoder keeps its share of it."""
    name, model, text, *more = row
    return (name, strength, round(strength * text / model, 4) if model else strength, *more)  # type: ignore[return-value]


# -- what comes out of it -------------------------------------------------------------------------


def grid_report(done: Gridded) -> Report:
    """The suggested cell and every score."""
    found = done.found
    lines = [found.text.splitlines()[-1], *(line.strip() for line in found.text.splitlines()[:-1])]
    return _reported(done, lines)


def short(done: Gridded) -> Report:
    """Without the scores and the reason: the view above it shows them."""
    return _reported(done, [])


def _reported(done: Gridded, lines: list[str]) -> Report:
    title = say("node.none_suggested") if done.found.best is None else say("node.suggested", cell=done.found.best.label)
    known = sum(map(len, done.made)) + len(done.shots) - done.sampled
    after = [say("node.known_before", n=known)] if known else []
    text = "\n".join([*lines, *after, say("node.saved_in", folder=f"output/lorasmith_tests/{done.name}")])
    return Report(title, text, "warn" if done.best is None else "good", done.found.to_json())


def grid_sheet(done: Gridded) -> Image:
    """All cells with their scores on one labelled sheet; the suggested one is marked."""
    from ..lora_train.report.paper import DARK
    from ..lora_train.report.sheets import contact_sheet
    from ..lora_train.report.tiles import Tile

    tiles = []
    for index, (scores, pictures) in enumerate(zip(done.found.cells, done.made, strict=True)):
        chosen = index == done.found.suggested
        numbers = (
            say("node.cell_first", likeness=_percent(scores.likeness), prompt=_percent(scores.adherence)),
            say("node.cell_second", variety=_percent(scores.variety), base=_percent(scores.base_fidelity)),
        )
        title = say("node.cell_suggested", cell=scores.label) if chosen else scores.label
        tiles.append(Tile(mosaic(pictures), title, "keep" if chosen else None, numbers))
    return contact_sheet(
        tiles, title=grid_report(done).title, columns=done.columns, side_px=256, text_lines=3, theme=DARK
    )


def mosaic(pictures: Sequence[Image], side_px: int = 256) -> Image:
    """Up to four pictures, spread over all of them, in a square."""
    from PIL import Image as pil
    from PIL import ImageOps

    some = spread(pictures)
    across = 1 if len(some) == 1 else 2
    cell = side_px // across
    sheet = pil.new("RGB", (side_px, side_px), "#15181d")
    for i, picture in enumerate(some):
        small = ImageOps.contain(picture, (cell, cell))
        at = i % across * cell + (cell - small.width) // 2, i // across * cell + (cell - small.height) // 2
        sheet.paste(small, at)
    return sheet


def spread(items: Sequence[Any], most: int = _SHOWN) -> list[Any]:
    """At most so many of the items, evenly spread, the first always among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def suggested_stack(done: Gridded, stack: Sequence[StackRow]) -> list[StackRow]:
    """The stack of the suggested cell; the given one where none is suggested."""
    return list(stack if done.best is None else done.best.stack)


def cell_folder(index: int) -> str:
    return f"cell_{index + 1:02}"


def _save(done: Gridded) -> None:
    for index, pictures in enumerate(done.made):
        for shot, picture in zip(done.shots, pictures, strict=True):
            with whole(done.folder / cell_folder(index) / shot.name) as temporary:
                picture.save(temporary, "PNG")
    write_json(done.folder / "grid.json", done.found.to_json())


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
