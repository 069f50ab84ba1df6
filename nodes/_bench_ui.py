"""What the bench's views in the graph editor are told: JSON-ready, with addresses instead of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import ui

from . import _host as host
from ._bench_grid import Gridded, cell_folder
from ._bench_saved import Tested
from ._thumbs import register

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION = 1
MAX_COPIES = 24
_DIGITS = 4


def test_payload(tested: Tested, dataset: Any) -> dict[str, list[Any]]:
    """The pictures of a test, prompt by prompt, with what was measured on each."""
    tokens = photo_tokens(dataset)
    groups: dict[str, dict[str, Any]] = {}
    for score in tested.report.pictures:
        shot = score.shot
        group = {"prompt": shot.prompt, "concept": shot.concept, "level": shot.level, "pictures": []}
        groups.setdefault(shot.prompt_id, group)["pictures"].append(_picture(tested.folder, score, tokens))
    bench = {
        "version": VERSION,
        "name": tested.name,
        "verdict": tested.report.verdict,
        "lora": tested.report.lora,
        "groups": list(groups.values()),
    }
    return {"lorasmith_test": [bench]}


def grid_payload(done: Gridded) -> dict[str, list[Any]]:
    """The cells of a strength grid, row by row, with scores and pictures."""
    names = [shot.name for shot in done.shots]
    cells = [
        {
            "strengths": list(scores.strengths),
            "checkpoint": scores.checkpoint,
            "scores": rounded(scores, ("likeness", "adherence", "variety", "base_fidelity")),
            "verdict": scores.verdict,
            "pictures": [view_of(done.folder / cell_folder(index) / name) for name in names],
        }
        for index, scores in enumerate(done.found.cells)
    ]
    grid = {
        "version": VERSION,
        "name": done.name,
        "columns": done.columns,
        "cells": cells,
        "prompts": [f"{shot.prompt}, seed {shot.seed}" for shot in done.shots],
        "loras": [row[0] for row in done.cells[0].stack[: len(done.cells[0].strengths)]],
        "suggested": done.found.suggested,
        "why": done.found.why,
        "write": None if done.best is None else {"lora": done.best.stack[0][0], "strength": done.best.stack[0][1]},
    }
    return {"lorasmith_grid": [grid]}


def copies_payload(found: Any, pictures: Sequence[Image], dataset: Any) -> dict[str, list[Any]]:
    """Generated pictures beside the training photos that they repeat."""
    tokens = photo_tokens(dataset)
    copies = [
        {
            "made": temporary_view(pictures[match.image]),
            "picture": found.image_names[match.image],
            "photo": found.photo_names[match.photo],
            "token": tokens.get(found.photo_names[match.photo], ""),
            "likeness": round(float(match.cosine), _DIGITS),
            "mirrored": match.is_mirrored,
        }
        for match in found.copies[:MAX_COPIES]
    ]
    return {"lorasmith_copies": [{"version": VERSION, "copies": copies, "more": len(found.copies) - len(copies)}]}


def temporary_view(picture: Image) -> dict[str, str]:
    """A picture in ComfyUI's temporary folder, as its ``/view`` address takes it."""
    shown = ui.PreviewImage(host.image_batch([picture])).as_dict()["images"][0]
    return {name: str(shown[name]) for name in ("filename", "subfolder", "type")}


def photo_tokens(dataset: Any) -> Mapping[str, str]:
    """Ids under which the graph editor can see the training photos, by file name."""
    return {} if dataset is None else register(entry.photo for entry in dataset.kept)


def view_of(path: Path) -> dict[str, str]:
    """A file of the output folder, as ComfyUI's ``/view`` address takes it."""
    place = path.resolve().relative_to(host.tests_folder().parent.resolve())
    return {"filename": place.name, "subfolder": place.parent.as_posix(), "type": "output"}


def _picture(folder: Path, score: Any, tokens: Mapping[str, str]) -> dict[str, Any]:
    shot = score.shot
    return {
        "made": view_of(folder / score.file),
        "base": view_of(folder / score.base_file) if score.base_file else None,
        "seed": shot.seed,
        "width": shot.width_px,
        "height": shot.height_px,
        "scores": rounded(score, ("likeness", "adherence", "base_fidelity", "sharpness")),
        "photo": score.nearest_photo,
        "token": tokens.get(score.nearest_photo or "", ""),
        "copy": score.is_copy,
        "note": score.note,
    }


def rounded(value: Any, names: Sequence[str]) -> dict[str, float | None]:
    """Some numbers of an object; None where nothing could be measured."""
    found = {name: getattr(value, name) for name in names}
    return {name: None if number is None else round(float(number), _DIGITS) for name, number in found.items()}
