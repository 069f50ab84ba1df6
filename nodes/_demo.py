"""The demo photos on disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..lora_train import starter

KINDS = {
    "person": ("lorasmith_demo", starter.render_demo),
    "style": ("lorasmith_demo_style", starter.render_style_demo),
}
"""What can be asked for: the name of its folder, and what draws it."""
_ANSWERS = "ground_truth.json"
_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def demo_folder(parent: Path, kind: str = "person") -> tuple[Path, int]:
    """The demo photos of one kind in a folder of ``parent``, drawn when they are not there yet; and how many.

    They are drawn beside it and renamed at the end, so that a run that was stopped leaves no half set.
    """
    name, draw = KINDS[kind]
    folder = parent / name
    if not (folder / _ANSWERS).is_file():
        half = parent / f".{name}.part"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        draw(half)
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)
    return folder, sum(path.suffix.lower() in _PHOTO_SUFFIXES for path in folder.iterdir())
