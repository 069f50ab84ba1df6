"""What can be true of a rendered person, how it is drawn at random, and how it is said in words.

An :class:`Identity` stays the same in all photos of one person; a :class:`Scene` changes from
photo to photo. The words here are the words of the captions, so the starter base, the starter
embedder and the zero-shot questions all speak the same language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

RGB = tuple[int, int, int]

SKIN: dict[str, RGB] = {
    "pale": (250, 224, 208),
    "light": (238, 192, 160),
    "tan": (212, 156, 112),
    "brown": (156, 100, 66),
    "dark": (94, 60, 44),
}
HAIR_COLOR: dict[str, RGB] = {
    "black": (28, 24, 28),
    "brown": (104, 64, 36),
    "blond": (232, 194, 98),
    "red": (196, 72, 28),
    "grey": (150, 150, 156),
    "white": (242, 242, 240),
    "blue": (48, 96, 214),
    "pink": (240, 110, 170),
}
HAIR_STYLE = ("bald", "short", "long", "curly", "bun", "bob", "mohawk")
EYES: dict[str, RGB] = {
    "brown": (98, 58, 26),
    "blue": (42, 122, 224),
    "green": (48, 160, 76),
    "grey": (132, 142, 152),
}
FACE = ("round", "oval", "square", "long")
MARK = ("none", "freckles", "mole", "scar")
BEARD = ("none", "beard", "moustache")
CLOTHES: dict[str, RGB] = {
    "red": (208, 40, 44),
    "orange": (240, 136, 36),
    "yellow": (244, 212, 56),
    "green": (44, 150, 72),
    "blue": (40, 84, 196),
    "purple": (126, 60, 176),
    "white": (240, 240, 240),
    "black": (38, 38, 44),
    "pink": (244, 150, 190),
}
GARMENT = ("t-shirt", "shirt", "hoodie", "striped top")
BACKGROUND = ("studio", "park", "beach", "street", "room", "forest", "night city", "mountains")
EXPRESSION = ("neutral", "smiling", "laughing", "sad", "surprised")
GLASSES = ("none", "glasses", "sunglasses")
SHOT = ("close-up portrait", "half body", "full body")
POSE = ("arms down", "one arm raised", "both arms raised", "hands on hips")


@dataclass(frozen=True)
class Identity:
    """What makes a person that person."""

    skin: str
    hair_color: str
    hair_style: str
    eyes: str
    face: str
    mark: str
    beard: str
    brow: float
    """Thickness of the eyebrows, 0 to 1."""
    nose: float
    """Width of the nose, 0 to 1."""

    def phrases(self) -> list[str]:
        """The identity in words, one phrase a trait; traits that are absent are not named."""
        hair = "bald head" if self.hair_style == "bald" else f"{self.hair_style} {self.hair_color} hair"
        words = [hair, f"{self.skin} skin", f"{self.eyes} eyes", f"{self.face} face"]
        words += {"none": [], "freckles": ["freckles"]}.get(self.mark, [f"a {self.mark}"])
        return words + ([] if self.beard == "none" else [f"a {self.beard}"])


@dataclass(frozen=True)
class Scene:
    """What changes from photo to photo."""

    garment: str
    clothes: str
    background: str
    backdrop: RGB
    """Colour of a studio backdrop; other backgrounds use it as a tint seed."""
    expression: str
    glasses: str
    lipstick: bool
    shot: str
    pose: str
    tilt_deg: float
    turn: float
    """Head turned to image left (-1) .. right (+1)."""
    offset: tuple[float, float]
    """Where the head is, as a shift in image widths and heights."""
    zoom: float
    light: float
    """-1: light from image left, +1: from the right."""
    seed: int
    """Details of the background."""

    def phrases(self) -> list[str]:
        """The scene in words."""
        place = {
            "studio": "in a studio",
            "park": "in a park",
            "beach": "on a beach",
            "street": "on a street",
            "room": "in a room",
            "forest": "in a forest",
            "night city": "in a city at night",
            "mountains": "in the mountains",
        }
        words = [f"wearing a {self.clothes} {self.garment}", place[self.background], self.expression]
        words += [] if self.glasses == "none" else [f"wearing {self.glasses}"]
        words += ["red lipstick"] if self.lipstick else []
        return words + ([self.pose] if self.shot != "close-up portrait" else [])


def random_identity(rng: Random) -> Identity:
    """One of several million people."""
    style = rng.choice(HAIR_STYLE) if rng.random() > 0.1 else "short"
    soft = style in ("long", "bun", "bob") and rng.random() < 0.8
    return Identity(
        skin=rng.choice(list(SKIN)),
        hair_color=rng.choice(list(HAIR_COLOR)),
        hair_style=style,
        eyes=rng.choice(list(EYES)),
        face=rng.choice(FACE),
        mark=rng.choices(MARK, (5, 2, 1, 1))[0],
        beard="none" if soft else rng.choices(BEARD, (3, 1, 1))[0],
        brow=rng.random(),
        nose=rng.random(),
    )


def random_scene(rng: Random) -> Scene:
    """Any clothes, place, expression, pose and framing; close-ups are the most frequent."""
    shot = rng.choices(SHOT, (6, 3, 1))[0]
    return Scene(
        garment=rng.choice(GARMENT),
        clothes=rng.choice(list(CLOTHES)),
        background=rng.choice(BACKGROUND),
        backdrop=(rng.randint(90, 235), rng.randint(90, 235), rng.randint(90, 235)),
        expression=rng.choice(EXPRESSION),
        glasses=rng.choices(GLASSES, (3, 1.4, 0.8))[0],
        lipstick=rng.random() < 0.15,
        shot=shot,
        pose=rng.choice(POSE),
        tilt_deg=rng.gauss(0, 6),
        turn=max(-1.0, min(1.0, rng.gauss(0, 0.45))),
        offset=(rng.gauss(0, 0.05), rng.gauss(0, 0.025)),
        zoom=rng.uniform(0.88, 1.12),
        light=rng.uniform(-1, 1),
        seed=rng.randrange(1 << 30),
    )


def near(scene: Scene, rng: Random) -> Scene:
    """The same shot a moment later: almost nothing moved."""
    return replace(
        scene,
        tilt_deg=scene.tilt_deg + rng.gauss(0, 0.5),
        turn=scene.turn + rng.gauss(0, 0.02),
        offset=(scene.offset[0] + rng.gauss(0, 0.003), scene.offset[1] + rng.gauss(0, 0.003)),
    )
