"""One pass over the pictures: bounded memory, subject and place apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from written_embedder import WrittenEmbedder, picture, unit

from lora_train.evaluation.looks import CHUNK, look_at, subject_box
from lora_train.faces.types import Body, Face, People

ROWS = unit(np.random.default_rng(0).normal(size=(200, 8)))


class Counted(Sequence):
    """Pictures that count how many are alive."""

    def __init__(self, n: int) -> None:
        self.n, self.opened = n, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Image.Image:  # type: ignore[override]
        if index >= self.n:
            raise IndexError
        self.opened += 1
        return picture(index)


class Mean:
    """Embeds a picture as its mean colour; remembers the largest batch."""

    scale, largest = 20.0, 0

    def images(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.largest = max(self.largest, len(images))
        return np.stack([np.asarray(i, np.float32).mean(axis=(0, 1)) + 1e-3 for i in images])


def test_a_thousand_pictures_are_opened_once_and_seen_in_small_batches() -> None:
    pictures, embedder = Counted(1000 // 8), Mean()
    seen = look_at(pictures, embedder)  # type: ignore[arg-type]
    assert len(seen) == 125 and pictures.opened == 125 and embedder.largest == CHUNK
    assert seen.rows.shape == (125, 3) and seen.prints.thumbs.shape == (125, 16, 16, 3)
    assert seen.scores["blur_px"].shape == (125,) and seen.subjects is None


def test_subject_and_place_are_told_apart_by_the_persons_box() -> None:
    class Looker:
        id = title = "written"
        measures = frozenset({"box"})

        def look(self, image: Image.Image) -> People:
            return People("written", (), Body((0.25, 0.25, 0.75, 0.75), 0.25))

    image = Image.new("RGB", (80, 80), (0, 0, 250))
    image.paste((250, 0, 0), (20, 20, 60, 60))
    seen = look_at([image], Mean(), analyzer=Looker(), parts=True)  # type: ignore[arg-type]
    assert seen.subjects is not None and seen.places is not None
    assert np.allclose(seen.subjects[0], [250, 0, 0], atol=0.1)
    assert np.allclose(seen.places[0], [0, 0, 250], atol=0.1)


def test_a_face_brings_its_shoulders_and_nobody_leaves_the_middle() -> None:
    face = Face((0.4, 0.2, 0.6, 0.4), 0.9)
    box = subject_box(picture(1), People("x", (face,)))
    assert box.left < 0.4 and box.right > 0.6 and box.bottom > 0.65 and box.top < 0.2
    flat = Image.new("RGB", (64, 64), (90, 90, 90))
    assert 0 <= subject_box(flat, None).left < subject_box(flat, None).right <= 1


def test_no_pictures() -> None:
    assert len(look_at([], WrittenEmbedder(ROWS))) == 0
