"""Crops and captions as files for other trainers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PIL import Image

from lora_train.dataset.export import export_crops, unique_stems
from lora_train.dataset.manifest import Dataset, Entry
from lora_train.dataset.photo import Photo
from lora_train.errors import BadInputError


def entry(name: str, caption: str = "") -> Entry:
    return Entry(Photo(Path("/p") / name, "s", 64, 64, "JPEG"), caption=caption)


def grey(_: Entry) -> Image.Image:
    return Image.new("RGB", (8, 8), "grey")


def test_kohya_folder(tmp_path: Path) -> None:
    data = Dataset(
        Path("/p"), (entry("a.jpg", "ohwx, hi"), entry("A.png")), trigger="ohwx", class_word="woman"
    )
    written = export_crops(data, tmp_path, grey, repeats=7)
    folder = tmp_path / "7_ohwx woman"
    assert [w.path for w in written] == [folder / "a.png", folder / "A_2.png"]
    assert (folder / "a.txt").read_text() == "ohwx, hi\n"
    assert not (folder / "A_2.txt").exists()


def test_rejected_photos_are_not_written(tmp_path: Path) -> None:
    data = Dataset(Path("/p"), (entry("a.jpg"), dataclasses.replace(entry("b.jpg"), keep=False)))
    export_crops(data, tmp_path, grey)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_never_into_the_photo_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds the photos themselves"):
        export_crops(Dataset(tmp_path, (entry("a.jpg"),)), tmp_path, grey)


def test_names_stay_unique_whatever_their_case() -> None:
    assert unique_stems((entry("a.jpg"), entry("a.png"), entry("A.webp"))) == ["a", "a_2", "A_3"]
