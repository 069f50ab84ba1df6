"""The renderer: a person in a place, as a picture of any size. No weights, no randomness of its own."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image

from .background import PAINTERS
from .paint import Brush
from .person import draw_person
from .traits import Identity, Scene

_HEAD = {  # head height and head centre, as shares of the image height
    "close-up portrait": (0.56, 0.45),
    "half body": (0.30, 0.30),
    "full body": (0.155, 0.16),
}


def render(
    who: Identity | Sequence[Identity], scene: Scene, size: tuple[int, int], *, share: float = 1.0, supersample: int = 3
) -> Image.Image:
    """Render one or several people.

    Args:
        who: one identity, or two to four that stand side by side.
        size: (width, height) in px, at least 16.
        share: shrinks the people without moving their feet off the ground; 1 is as the shot says.
        supersample: drawing resolution per output pixel; 3 gives smooth edges.

    Returns:
        RGB image of ``size``.
    """
    people = [who] if isinstance(who, Identity) else list(who)
    canvas = (size[0] * supersample, size[1] * supersample)
    image = PAINTERS[scene.background](canvas, Random(scene.seed), scene.backdrop)
    for index, person in enumerate(people):
        _place(image, person, scene, share, index, len(people))
    return image.resize(size, Image.Resampling.BOX)


def head_place(
    scene: Scene, size: tuple[int, int], share: float = 1.0, index: int = 0, count: int = 1
) -> tuple[float, float, float]:
    """Middle (x, y) and height of the head of person ``index`` of ``count``, in px."""
    width, height = size
    head, middle = _HEAD[scene.shot]
    crowd = (1.0, 0.72, 0.56, 0.46)[count - 1]
    scale = head * scene.zoom * share * crowd * height
    x = width * (0.5 + scene.offset[0]) + (index - (count - 1) / 2) * scale * 1.55
    y = height * (middle + scene.offset[1])
    if share < 1 or count > 1:  # keep the ground: small people stand lower
        y += (1 - share * crowd) * height * 0.4
    return x, y, scale


def _place(image: Image.Image, who: Identity, scene: Scene, share: float, index: int, count: int) -> None:
    x, y, scale = head_place(scene, image.size, share, index, count)
    body = Brush(image, (x, y), scale, scene.tilt_deg * 0.15)
    draw_person(body, Brush(image, (x, y), scale, scene.tilt_deg), who, scene)
