"""What cannot be judged is named, in a sentence each, and never becomes a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from written_embedder import picture

from lora_train.errors import BadInputError
from lora_train.evaluation.intake import fault_of, usable_files, usable_pictures


def array(value: float = 0.5) -> np.ndarray:
    noise = np.random.default_rng(0).random((40, 40, 3)).astype(np.float32)
    return noise * value


def test_good_pictures_and_arrays_pass_in_order() -> None:
    found = usable_pictures([picture(1), array(), picture(2)])
    assert found.kept == (0, 1, 2) and len(found.notes) == 1  # two sizes
    assert all(p.mode == "RGB" for p in found.pictures)


@pytest.mark.parametrize(("one", "fault"), [
    (np.full((40, 40, 3), np.nan), "nan"), (np.where(np.arange(40)[:, None, None] < 1, np.inf, array()), "nan"),
    (np.zeros((40, 40, 3)), "black"), (np.full((40, 40, 3), 0.5), "flat"), (np.zeros((0, 40, 3)), "empty"),
    (np.zeros((40, 40)), "empty"), (Image.new("RGB", (8, 8)), "empty"), (Image.new("RGB", (64, 64)), "black"),
    (Image.new("RGB", (64, 64), (0, 0, 200)), "flat"), (Image.new("L", (64, 64), 255), "flat"), (picture(3), ""),
])  # fmt: skip
def test_each_fault(one: Image.Image | np.ndarray, fault: str) -> None:
    assert fault_of(one) == fault


def test_one_sentence_for_each_kind_with_names_and_a_next_step() -> None:
    nan, black = np.full((40, 40, 3), np.nan), np.zeros((40, 40, 3))
    found = usable_pictures([black, array(), nan, black, black, black])
    assert found.kept == (1,) and len(found.notes) == 2
    assert found.notes[0].startswith("'picture 1', 'picture 4', 'picture 5' and 1 more left out: the picture is black")
    assert "'picture 3' left out: the pixels are NaN" in found.notes[1] and "fp32" in found.notes[1]


def test_mixed_shapes_are_said() -> None:
    square, wide = picture(1).resize((64, 64)), picture(2).resize((128, 72))
    assert "different shapes (64x64, 128x72)" in usable_pictures([square, wide]).notes[0]
    assert "2 sizes (64x64, 128x128)" in usable_pictures([square, square.resize((128, 128))]).notes[0]
    assert usable_pictures([square, square]).notes == ()


def test_files_are_opened_one_at_a_time(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"no picture")
    paths = sorted(tmp_path.glob("*.png"))
    found = usable_files(paths)
    assert found.names == ("a.png",) and len(found.pictures) == 1
    assert any("'b.png' left out: the picture is black" in n for n in found.notes)
    assert any("c.png" in n for n in found.notes)
    with pytest.raises(BadInputError, match="None of the 1 pictures"):
        usable_files(paths[2:])
