"""The demo photos on disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..lora_train import starter

NAME = "lorasmith_demo"
_ANSWERS = "ground_truth.json"
_PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def demo_folder(parent: Path) -> tuple[Path, int]:
    """The demo photos in ``parent/lorasmith_demo``, drawn when they are not there yet; and how many.

    They are drawn beside it and renamed at the end, so that a run that was stopped leaves no half set.
    """
    folder = parent / NAME
    if not (folder / _ANSWERS).is_file():
        half = parent / f".{NAME}.part"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        starter.render_demo(half)
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)
    return folder, sum(path.suffix.lower() in _PHOTO_SUFFIXES for path in folder.iterdir())
