"""Draws one person. Units are head heights around the middle of the head; y grows downwards."""

from __future__ import annotations

from random import Random

from .paint import RGB, Brush, curve, mix, oval, shade
from .traits import CLOTHES, EYES, HAIR_COLOR, SKIN, Identity, Scene

INK: RGB = (34, 26, 30)
_FACE = {  # half width, half height, squareness, chin narrowing
    "round": (0.43, 0.46, 2.0, 0.04),
    "oval": (0.38, 0.50, 2.0, 0.16),
    "square": (0.42, 0.48, 2.9, 0.00),
    "long": (0.34, 0.54, 2.3, 0.08),
}


def draw_person(body: Brush, head: Brush, who: Identity, scene: Scene) -> None:
    """Paint the body, then the head, over what is already in the image."""
    skin, hair = SKIN[who.skin], HAIR_COLOR[who.hair_color]
    _back_hair(head, who, hair)
    _body(body, scene, skin)
    head.fill([(-0.15, 0.2), (0.15, 0.2), (0.17, 0.66), (-0.17, 0.66)], shade(skin, -0.16))
    _head(head, who, scene, skin)
    _features(head, who, scene, skin, hair)
    _front_hair(head, who, hair)


def _body(b: Brush, scene: Scene, skin: RGB) -> None:
    cloth = CLOTHES[scene.clothes]
    legs = mix((52, 62, 98), (70, 60, 56), (scene.seed % 3) / 2)
    for side in (-1, 1):
        b.fill([(side * 0.04, 2.5), (side * 0.5, 2.5), (side * 0.44, 4.9), (side * 0.1, 4.9)], legs)
        b.fill(oval(side * 0.3, 4.95, 0.24, 0.12), (44, 36, 36))
    _arms(b, scene, cloth, skin)
    torso = [
        *curve((-0.24, 0.52), (-0.72, 0.6), (-0.76, 1.0)),
        (-0.56, 1.5),
        (-0.54, 2.6),
        (0.54, 2.6),
        (0.56, 1.5),
        *curve((0.76, 1.0), (0.72, 0.6), (0.24, 0.52)),
    ]
    b.fill(torso, cloth)
    if scene.garment == "striped top":
        stripe = (240, 240, 240) if sum(cloth) < 560 else (60, 60, 80)
        for i in range(5):
            y = 0.84 + 0.36 * i
            half = 0.73 - 0.1 * min(i, 2)
            b.fill([(-half, y), (half, y), (half, y + 0.15), (-half, y + 0.15)], stripe)
    if scene.garment == "hoodie":
        b.line(curve((-0.36, 0.56), (0, 1.02), (0.36, 0.56)), shade(cloth, -0.35), 0.14)
        for side in (-1, 1):
            b.line([(side * 0.1, 0.84), (side * 0.12, 1.3)], (236, 236, 236), 0.04)
    elif scene.garment == "shirt":
        for side in (-1, 1):
            b.fill([(0, 0.86), (side * 0.3, 0.5), (side * 0.42, 0.66), (side * 0.2, 0.96)], shade(cloth, 0.35))
        b.line([(0, 0.86), (0, 2.5)], shade(cloth, -0.3), 0.04)
        for y in (1.1, 1.45, 1.8):
            b.disc(0, y, 0.045, shade(cloth, -0.45))
    else:
        b.fill(oval(0, 0.54, 0.24, 0.14), shade(skin, -0.1))
    if scene.garment == "shirt" or scene.garment == "hoodie":
        b.fill([(-0.15, 0.5), (0.15, 0.5), (0, 0.84)], shade(skin, -0.1))


def _arms(b: Brush, scene: Scene, cloth: RGB, skin: RGB) -> None:
    down, up, hip = (
        [(0.72, 0.86), (0.86, 1.6), (0.8, 2.3)],
        [(0.72, 0.86), (1.12, 0.5), (1.02, -0.3)],
        [(0.72, 0.86), (1.12, 1.5), (0.62, 2.0)],
    )
    left, right = {
        "arms down": (down, down),
        "one arm raised": (down, up),
        "both arms raised": (up, up),
        "hands on hips": (hip, hip),
    }[scene.pose]
    for side, path in ((-1, left), (1, right)):
        points = [(side * x, y) for x, y in path]
        b.line(points, shade(cloth, -0.14), 0.3)
        b.disc(*points[-1], 0.17, skin)


def _head(b: Brush, who: Identity, scene: Scene, skin: RGB) -> None:
    rx, ry, power, chin = _FACE[who.face]
    for side in (-1, 1):
        b.fill(oval(side * rx * 0.98 - scene.turn * 0.06, 0.04, 0.075, 0.12), shade(skin, -0.1))
    outline = [(x * (1 - chin * max(0.0, y / ry) * 1.6), y) for x, y in oval(0, 0, rx, ry, power)]
    b.fill(outline, skin)
    if abs(scene.light) > 0.25:
        dark = -1 if scene.light > 0 else 1
        part = [(x, y) for x, y in outline if x * dark > rx * 0.45]
        part.sort(key=lambda p: p[1])
        inner = curve((part[-1][0] * 0.82, part[-1][1]), (dark * rx * 0.62, 0), (part[0][0] * 0.82, part[0][1]))
        b.fill(part + inner, shade(skin, -0.07 - 0.1 * (abs(scene.light) - 0.25)))


def _features(b: Brush, who: Identity, scene: Scene, skin: RGB, hair: RGB) -> None:
    dx = scene.turn * 0.1
    brow = shade(hair, -0.25) if who.hair_style != "bald" else shade(skin, -0.55)
    lift = {"surprised": -0.06, "sad": -0.01}.get(scene.expression, 0.0)
    slant = 0.05 if scene.expression == "sad" else -0.015
    for side in (-1, 1):
        x = side * 0.185 + dx
        b.line(
            curve((x - side * 0.09, -0.19 + lift - slant), (x, -0.235 + lift), (x + side * 0.1, -0.18 + lift + slant)),
            brow,
            0.03 + 0.03 * who.brow,
        )
        _eye(b, x, EYES[who.eyes], scene)
    _marks(b, who, skin, dx)
    if who.beard == "beard":
        rx, ry, *_rest = _FACE[who.face]
        jaw = [(x * 0.97 + dx * 0.3, y * 0.99) for x, y in oval(0, 0, rx, ry, points=48) if y > 0.1]
        jaw.sort(key=lambda p: -p[0])
        b.fill([*jaw, *curve((-rx * 0.8, 0.12), (dx, 0.34), (rx * 0.8, 0.12))], shade(hair, -0.1))
    nose = 0.035 + 0.045 * who.nose
    b.line(curve((dx * 1.3, -0.02), (dx * 1.7 + 0.02, 0.08), (dx * 1.7, 0.11)), shade(skin, -0.2), 0.028)
    b.fill(oval(dx * 1.6, 0.115, nose, 0.035), shade(skin, -0.2))
    if who.beard != "none":
        b.line(curve((dx - 0.14, 0.215), (dx, 0.15), (dx + 0.14, 0.215)), shade(hair, -0.1), 0.065)
    _mouth(b, scene, skin, dx)
    _glasses(b, scene, dx)


def _eye(b: Brush, x: float, iris: RGB, scene: Scene) -> None:
    if scene.expression == "laughing":
        b.line(curve((x - 0.085, -0.05), (x, -0.135), (x + 0.085, -0.05)), INK, 0.035)
        b.disc(x, -0.06, 0.045, iris)
        return
    ry = 0.115 if scene.expression == "surprised" else 0.09
    b.fill(oval(x, -0.07, 0.118, ry + 0.014), INK)
    b.fill(oval(x, -0.064, 0.108, ry), (252, 252, 252))
    look = scene.turn * 0.025
    b.disc(x + look, -0.066, 0.08, iris)
    b.disc(x + look, -0.066, 0.032, INK)
    b.disc(x + look + 0.03, -0.095, 0.018, (255, 255, 255))


def _mouth(b: Brush, scene: Scene, skin: RGB, dx: float) -> None:
    lip = (196, 24, 48) if scene.lipstick else mix(shade(skin, -0.3), (170, 60, 60), 0.5)
    thick = 0.06 if scene.lipstick else 0.05
    y, x = 0.27, dx * 1.1
    if scene.expression == "smiling":
        b.line(curve((x - 0.15, y - 0.035), (x, y + 0.11), (x + 0.15, y - 0.035)), lip, thick)
    elif scene.expression == "laughing":
        b.fill([*curve((x - 0.17, y - 0.05), (x, y + 0.3), (x + 0.17, y - 0.05), 16)], (120, 26, 34))
        b.fill(
            [(x - 0.14, y - 0.045), (x + 0.14, y - 0.045), (x + 0.11, y + 0.012), (x - 0.11, y + 0.012)],
            (252, 252, 250),
        )
        b.line(curve((x - 0.17, y - 0.05), (x, y + 0.3), (x + 0.17, y - 0.05)), lip, thick * 0.7)
    elif scene.expression == "sad":
        b.line(curve((x - 0.12, y + 0.06), (x, y - 0.06), (x + 0.12, y + 0.06)), lip, thick)
    elif scene.expression == "surprised":
        b.fill(oval(x, y + 0.02, 0.075, 0.1), lip)
        b.fill(oval(x, y + 0.02, 0.05, 0.075), (92, 20, 28))
    else:
        b.line([(x - 0.11, y), (x + 0.11, y)], lip, thick)


def _glasses(b: Brush, scene: Scene, dx: float) -> None:
    if scene.glasses == "none":
        return
    for side in (-1, 1):
        x = side * 0.185 + dx
        if scene.glasses == "sunglasses":
            b.fill(oval(x, -0.055, 0.16, 0.13, 3.0), (20, 20, 26))
            b.line([(x - 0.07, -0.1), (x + 0.0, -0.12)], (96, 104, 120), 0.03)
        else:
            ring = oval(x, -0.06, 0.15, 0.135, 2.4)
            b.line([*ring, ring[0]], (24, 20, 24), 0.035)
        b.line([(x + side * 0.15, -0.07), (side * 0.4 + dx * 0.3, -0.09)], (24, 20, 24), 0.035)
    b.line([(dx - 0.04, -0.07), (dx + 0.04, -0.07)], (24, 20, 24), 0.035)


def _marks(b: Brush, who: Identity, skin: RGB, dx: float) -> None:
    if who.mark == "freckles":
        spots = Random(7)
        tone = mix(shade(skin, -0.35), (176, 84, 40), 0.4)
        for side in (-1, 1):
            for _ in range(7):
                b.disc(side * spots.uniform(0.1, 0.32) + dx, spots.uniform(0.05, 0.2), 0.026, tone)
    elif who.mark == "mole":
        b.disc(0.2 + dx, 0.2, 0.046, shade(skin, -0.75))
    elif who.mark == "scar":
        b.line([(-0.3 + dx, -0.02), (-0.16 + dx, 0.2)], mix((190, 60, 70), skin, 0.2), 0.05)


def _back_hair(b: Brush, who: Identity, hair: RGB) -> None:
    if who.hair_style == "long":
        b.fill(
            [
                *oval(0, -0.12, 0.53, 0.52)[18:],
                (0.56, 0.5),
                (0.6, 1.05),
                (0.3, 1.1),
                (-0.3, 1.1),
                (-0.6, 1.05),
                (-0.56, 0.5),
            ],
            shade(hair, -0.18),
        )
    elif who.hair_style == "bob":
        b.fill(oval(0, 0.02, 0.56, 0.56, 3.2), shade(hair, -0.18))
    elif who.hair_style == "curly":
        for x, y in oval(0, -0.1, 0.46, 0.44, points=14):
            b.disc(x, y, 0.2, shade(hair, -0.14))
    elif who.hair_style == "bun":
        b.disc(0, -0.66, 0.22, hair)
        b.fill(oval(0, -0.12, 0.46, 0.46), shade(hair, -0.18))


def _front_hair(b: Brush, who: Identity, hair: RGB) -> None:
    rx, ry, power, _ = _FACE[who.face]
    if who.hair_style == "bald":
        return
    if who.hair_style == "mohawk":
        b.fill([(-0.1, -0.36), *curve((-0.14, -0.5), (0, -1.06), (0.14, -0.5)), (0.1, -0.36)], hair)
        return
    crown = [(x * 1.07, y * 1.07) for x, y in oval(0, 0, rx, ry, power, 48) if y < -0.12]
    crown.sort(key=lambda p: p[0])
    left, right = crown[0], crown[-1]
    if who.hair_style == "short":
        b.fill(
            [
                *crown,
                (right[0], -0.1),
                (right[0] * 0.84, -0.24),
                (0.1, -0.34),
                (-0.12, -0.29),
                (left[0] * 0.84, -0.24),
                (left[0], -0.1),
            ],
            hair,
        )
        b.line(curve((-0.1, -0.5), (0.06, -0.58), (0.24, -0.48)), shade(hair, 0.16), 0.05)
    elif who.hair_style == "curly":
        for x, y in crown[::3]:
            b.disc(x * 0.96, y * 0.98, 0.125, hair)
        for x in (-0.24, -0.08, 0.08, 0.24):
            b.disc(x, -0.4, 0.12, shade(hair, 0.08))
    elif who.hair_style == "bun":
        b.fill([*crown, *curve((right[0], -0.12), (0, -0.46), (left[0], -0.12))], hair)
    else:  # long and bob share the parting; a bob has a fringe
        low = 0.3 if who.hair_style == "long" else 0.36
        for side in (-1, 1):
            b.fill(
                [(side * rx * 1.1, -0.2), (side * rx * 0.86, -0.22), (side * rx * 0.95, low), (side * rx * 1.22, low)],
                hair,
            )
        if who.hair_style == "bob":
            b.fill([*crown, (right[0], -0.16), (0.3, -0.27), (-0.3, -0.27), (left[0], -0.16)], hair)
        else:
            b.fill(
                [
                    *crown,
                    (right[0], -0.1),
                    *curve((right[0] * 0.9, -0.16), (0.06, -0.3), (-0.04, -0.46)),
                    *curve((-0.04, -0.46), (-0.16, -0.3), (left[0] * 0.9, -0.16)),
                    (left[0], -0.1),
                ],
                hair,
            )
