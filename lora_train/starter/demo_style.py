"""The demo pictures of a style: many people in many places, all printed with the same three inks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from .demo import Demo, write_demos
from .renderer import render
from .traits import BACKGROUND, EXPRESSION, Identity, Scene, random_identity, random_scene

INKS = ((24, 34, 92), (226, 74, 78), (250, 172, 120), (246, 232, 204))
"""Paper and inks from dark to light: what every picture of the style is made of."""
PICTURES = 32
"""Recipes ask 30 to 40 of a style."""
SEED = 31
_SIZE = (576, 576)


def printed(image: Image.Image) -> Image.Image:
    """The picture as a print: its brightness, evened out over the sheet, in :data:`INKS` with soft edges."""
    grey = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(1)), np.float64)
    low, high = np.percentile(grey, (2, 98))
    place = ((grey - low) / max(high - low, 1.0)).clip(0, 1) * (len(INKS) - 1)
    step = np.floor(place)
    soft = step + ((place - step - 0.5) * 6 + 0.5).clip(0, 1)
    inks = np.asarray(INKS, np.float64)
    sheet = [np.interp(soft, np.arange(len(INKS)), inks[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(sheet, -1).round().astype(np.uint8))


def _scenes(rng: Random) -> list[tuple[Identity, Scene]]:
    """Somebody else, somewhere else, every time: only the look repeats."""
    shots = ("close-up portrait", "close-up portrait", "half body")
    return [
        (
            random_identity(rng),
            replace(
                random_scene(rng),
                background=BACKGROUND[(i * 3) % len(BACKGROUND)],
                expression=EXPRESSION[i % len(EXPRESSION)],
                shot=shots[i % 3],
            ),
        )
        for i in range(PICTURES)
    ]


def style_pictures() -> list[Demo]:
    """All pictures, in the order of their names; three of them are not for training."""
    drawn = [(who, scene, render(who, scene, _SIZE, supersample=2)) for who, scene in _scenes(Random(SEED))]
    demos = [
        Demo(f"print_{i:02}.jpg", printed(image), True, scene=", ".join(who.phrases() + scene.phrases()))
        for i, (who, scene, image) in enumerate(drawn)
    ]
    blurred = demos[5].image.filter(ImageFilter.GaussianBlur(7))
    small = demos[8].image.resize((72, 72), Image.Resampling.LANCZOS)
    return [
        *demos,
        Demo("exact_copy.jpg", demos[3].image, False, ("duplicate",), (demos[3].name,)),
        Demo("blurred.jpg", blurred, False, ("blurry",), (demos[5].name,)),
        Demo("too_small.jpg", small, False, ("too_small",), (demos[8].name,)),
    ]


def render_style_demo(folder: Path) -> Path:
    """Write the pictures, their captions and ``ground_truth.json`` to ``folder``.

    A caption says what is seen, never the look: what is not said is what a LoRA puts into its trigger word.

    Raises:
        BadInputError: the folder cannot be written.
    """
    return write_demos(Path(folder), style_pictures(), {"inks": INKS})
