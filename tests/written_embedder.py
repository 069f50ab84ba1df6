"""An embedder whose vectors the test writes down, and pictures that it knows by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from lora_train.evaluation.calibration import Calibration


@dataclass
class WrittenEmbedder:
    """Pictures are numbered by their top left pixel (red + 256 green); their rows are given by the test.

    What is cut out of a picture has no number: it gets the row of the picture with the same colour.
    """

    rows: np.ndarray
    words: dict[str, np.ndarray] = field(default_factory=dict)
    scale: float = 20.0
    calibration: Calibration = field(default_factory=lambda: Calibration(0.0, 0.97))

    def images(self, images: Sequence[Image.Image]) -> np.ndarray:
        marks = [np.asarray(image)[0, [0, -1]].max(axis=0) for image in images]  # mirrored pictures too
        return np.stack([self.rows[(int(m[0]) + 256 * int(m[1])) % len(self.rows)] for m in marks])

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        found = []
        for text in texts:
            row = sum((v for word, v in self.words.items() if word in text), np.zeros(self.rows.shape[1]))
            found.append(row / max(float(np.linalg.norm(row)), 1e-9))
        return np.stack(found)


def picture(number: int, seed: int | None = None) -> Image.Image:
    """A random smooth picture that :class:`WrittenEmbedder` knows as ``number``."""
    rng = np.random.default_rng(number if seed is None else seed)
    noise = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    image = noise.resize((48, 48), Image.Resampling.BICUBIC)
    image.paste((0, 0, 0), (47, 0, 48, 1))
    image.putpixel((0, 0), (number % 256, number // 256, 0))
    return image


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
