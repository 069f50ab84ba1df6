"""The demo photos: one subject, 24 good pictures, and every kind of bad one, with the truth in JSON."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from ..files import whole, write_json
from .renderer import render
from .traits import (
    BACKGROUND,
    CLOTHES,
    EXPRESSION,
    GARMENT,
    POSE,
    Identity,
    Scene,
    near,
    random_identity,
    random_scene,
)

SUBJECT = Identity(
    skin="light",
    hair_color="red",
    hair_style="curly",
    eyes="green",
    face="oval",
    mark="none",
    beard="none",
    brow=0.5,
    nose=0.4,
)
"""Who is in the demo photos."""
GOOD = 24
SEED = 2026
_SIZES = ((512, 512), (512, 640), (640, 512), (576, 576))
_SHOTS = ("close-up portrait",) * 5 + ("half body",) * 2 + ("full body",)


@dataclass(frozen=True)
class Demo:
    """One demo photo before it is written."""

    name: str
    image: Image.Image
    keep: bool
    codes: tuple[str, ...] = ()
    """What an audit should find; the codes of the audit."""
    relatives: tuple[str, ...] = ()
    """Other names that show the same shot: one of them all is to be kept."""
    scene: str = ""
    """What is seen, without the identity; written beside the photo as its caption."""


def _scene(index: int, rng: Random) -> Scene:
    """The ``index``-th good scene: every place, garment, colour and expression has its turn."""
    return replace(
        random_scene(rng),
        background=BACKGROUND[index % len(BACKGROUND)],
        clothes=list(CLOTHES)[(index * 5 + index // 9) % len(CLOTHES)],
        garment=GARMENT[index % 4],
        expression=EXPRESSION[(index * 2 + index // 5) % len(EXPRESSION)],
        pose=POSE[(index // 2) % 4],
        glasses="glasses" if index % 6 == 1 else "none",
        lipstick=index % 9 == 4,
        shot=_SHOTS[(index + index // 8) % len(_SHOTS)],
    )


def _photo(who: Identity | list[Identity], scene: Scene, index: int, share: float = 1.0) -> Image.Image:
    image = render(who, scene, _SIZES[index % len(_SIZES)], share=share, supersample=2)
    grain = np.random.default_rng(scene.seed).normal(0, 4, (*image.size[::-1], 1))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


def demo_photos() -> list[Demo]:
    """All demo photos, in the order of their names."""
    rng = Random(SEED)
    scenes = [_scene(i, rng) for i in range(GOOD)]
    pictures = [_photo(SUBJECT, scene, i) for i, scene in enumerate(scenes)]
    demos = [
        Demo(f"good_{i:02}.jpg", picture, True, scene=", ".join(scenes[i].phrases()))
        for i, picture in enumerate(pictures)
    ]
    for copy, of in enumerate((2, 9)):
        demos.append(Demo(f"exact_copy_{copy}.jpg", pictures[of], False, ("duplicate",), (f"good_{of:02}.jpg",)))
    for copy, of in enumerate((4, 13, 18)):
        moment = _photo(SUBJECT, near(scenes[of], rng), of)
        demos.append(Demo(f"near_copy_{copy}.jpg", moment, False, ("duplicate",), (f"good_{of:02}.jpg",)))
    spare = [_scene(40 + i, rng) for i in range(10)]
    bad = [_photo(SUBJECT, scene, i) for i, scene in enumerate(spare)]
    for i in (0, 1):
        demos.append(Demo(f"blurred_{i}.jpg", bad[i].filter(ImageFilter.GaussianBlur(7)), False, ("blurry",)))
    for i in (2, 3):
        demos.append(Demo(f"too_dark_{i}.jpg", ImageEnhance.Brightness(bad[i]).enhance(0.13), False, ("too_dark",)))
    for i in (4, 5):
        washed = bad[i].point(lambda v: min(255, 190 + v // 2))
        demos.append(Demo(f"too_bright_{i}.jpg", washed, False, ("too_bright",)))
    for i in (6, 7):
        small = bad[i].resize((72, 72), Image.Resampling.LANCZOS)
        demos.append(Demo(f"too_small_{i}.jpg", small, False, ("too_small",)))
    return demos + _crowds_and_series(rng) + [Demo("broken.jpg", pictures[0], False, ("unreadable",))]


def _crowds_and_series(rng: Random) -> list[Demo]:
    demos = []
    for i in range(2):
        far = replace(_scene(60 + i, rng), shot="full body", zoom=0.9)
        demos.append(Demo(f"tiny_figure_{i}.jpg", _photo(SUBJECT, far, i, 0.42), False, ("person_too_small",)))
        group = [SUBJECT, *(random_identity(rng) for _ in range(1 + i))]
        demos.append(
            Demo(
                f"several_people_{i}.jpg",
                _photo(group, replace(_scene(70 + i, rng), shot="half body"), i),
                False,
                ("many_people",),
            )
        )
    series = replace(_scene(81, rng), shot="half body")
    for i in range(4):
        again = replace(
            series,
            expression=EXPRESSION[i],
            pose=POSE[i],
            tilt_deg=rng.gauss(0, 7),
            turn=(i - 1.5) * 0.5,
            offset=((i - 1.5) * 0.06, rng.gauss(0, 0.03)),
        )
        demos.append(
            Demo(
                f"same_place_{i}.jpg",
                _photo(SUBJECT, again, 0),
                True,
                ("same_background",),
                scene=", ".join(again.phrases()),
            )
        )
    return demos


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=93, subsampling=0)
    return out.getvalue()


def render_demo(folder: Path) -> Path:
    """Write the demo photos and ``ground_truth.json`` to ``folder``.

    Returns:
        The path of ``ground_truth.json``: the subject's traits, and per photo what an audit should
        say (``keep``, ``codes``) and which photos show the same shot (``relatives``).

    Raises:
        BadInputError: the folder cannot be written.
    """
    subject = {k: v for k, v in SUBJECT.__dict__.items() if isinstance(v, str)}
    return write_demos(Path(folder), demo_photos(), {"subject": subject, "words": SUBJECT.phrases()})


def write_demos(folder: Path, demos: list[Demo], about: dict) -> Path:
    """Write photos, the captions of those that are to be kept, and the truth with ``about`` at its head.

    Raises:
        BadInputError: the folder cannot be written.
    """
    for demo in demos:
        data = _jpeg(demo.image)
        with whole(folder / demo.name) as temporary:
            temporary.write_bytes(data[: len(data) // 3] if demo.codes == ("unreadable",) else data)
    photos = {d.name: {"keep": d.keep, "codes": list(d.codes), "relatives": list(d.relatives)} for d in demos}
    write_json(folder / "ground_truth.json", about | {"photos": photos})
    for demo in demos:
        if demo.scene and demo.keep:
            caption = folder / f"{Path(demo.name).stem}.txt"
            with whole(caption) as temporary:
                temporary.write_text(demo.scene, encoding="utf-8")
    return folder / "ground_truth.json"


def ground_truth(folder: Path) -> dict:
    """Read the truth that :func:`render_demo` wrote."""
    return json.loads((Path(folder) / "ground_truth.json").read_text(encoding="utf-8"))
