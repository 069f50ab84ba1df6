"""The places behind a rendered person. Each painter fills the whole image, reproducibly."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from .paint import RGB, gradient, jitter, mix, shade

Painter = Callable[[tuple[int, int], Random, RGB], Image.Image]


def _studio(size: tuple[int, int], rng: Random, color: RGB) -> Image.Image:
    return gradient(size, shade(color, 0.15), shade(color, -0.2))


def _park(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, jitter((128, 188, 240), rng), (214, 236, 248))
    draw = ImageDraw.Draw(image)
    horizon = rng.uniform(0.5, 0.68) * h
    draw.rectangle((0, horizon, w, h), fill=jitter((104, 178, 78), rng))
    for _i in range(rng.randint(3, 5)):
        x, r = rng.uniform(0, w), rng.uniform(0.1, 0.18) * h
        y = horizon - r * rng.uniform(0.9, 1.5)
        draw.rectangle((x - r * 0.14, y, x + r * 0.14, horizon + 2), fill=(112, 76, 48))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=jitter((54, 138, 60), rng, 20))
    return image


def _beach(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, jitter((92, 176, 244), rng), (200, 232, 250))
    draw = ImageDraw.Draw(image)
    sea, sand = rng.uniform(0.38, 0.5) * h, rng.uniform(0.58, 0.7) * h
    draw.rectangle((0, sea, w, h), fill=jitter((32, 122, 186), rng))
    draw.rectangle((0, sand, w, h), fill=jitter((236, 212, 156), rng))
    x, y, r = rng.uniform(0.1, 0.9) * w, rng.uniform(0.08, 0.22) * h, 0.07 * h
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 240, 150))
    return image


def _buildings(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: Random, wall: RGB, lit: list[RGB], floor: float
) -> None:
    w, h = size
    x = -rng.uniform(0, 0.1) * w
    while x < w:
        wide, top = rng.uniform(0.16, 0.28) * w, rng.uniform(0.08, 0.42) * h
        draw.rectangle((x, top, x + wide, floor), fill=jitter(wall, rng, 26))
        step = 0.075 * h
        y = top + step * 0.6
        while y < floor - step:
            for column in range(2):
                left = x + wide * (0.18 + 0.4 * column)
                draw.rectangle((left, y, left + wide * 0.24, y + step * 0.5), fill=rng.choice(lit))
            y += step
        x += wide + 0.015 * w


def _street(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, (170, 196, 220), (222, 228, 232))
    draw = ImageDraw.Draw(image)
    _buildings(draw, size, rng, (182, 134, 112), [(96, 116, 140), (132, 152, 172)], 0.74 * h)
    draw.rectangle((0, 0.74 * h, w, h), fill=(118, 118, 124))
    return image


def _night(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, (14, 18, 52), (52, 40, 92))
    draw = ImageDraw.Draw(image)
    _buildings(draw, size, rng, (34, 36, 62), [(250, 214, 110), (40, 44, 74), (240, 170, 90)], 0.8 * h)
    draw.rectangle((0, 0.8 * h, w, h), fill=(30, 30, 46))
    return image


def _room(size: tuple[int, int], rng: Random, color: RGB) -> Image.Image:
    w, h = size
    wall = mix(jitter((226, 210, 186), rng), color, 0.2)
    image = gradient(size, shade(wall, 0.1), wall)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0.8 * h, w, h), fill=jitter((150, 104, 66), rng))
    left = rng.choice((0.04, 0.66)) * w
    draw.rectangle((left, 0.12 * h, left + 0.3 * w, 0.5 * h), fill=(250, 250, 246))
    draw.rectangle((left + 0.02 * w, 0.14 * h, left + 0.28 * w, 0.48 * h), fill=jitter((158, 206, 240), rng))
    other = (0.7 if left < 0.3 * w else 0.05) * w
    for shelf in range(3):
        y = (0.2 + 0.17 * shelf) * h
        for book in range(5):
            x = other + book * 0.05 * w
            tall = rng.uniform(0.07, 0.12) * h
            draw.rectangle((x, y + 0.12 * h - tall, x + 0.04 * w, y + 0.12 * h), fill=jitter((150, 90, 90), rng, 80))
        draw.rectangle((other - 0.01 * w, y + 0.12 * h, other + 0.26 * w, y + 0.14 * h), fill=(120, 80, 50))
    return image


def _forest(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, (36, 84, 54), (18, 52, 34))
    draw = ImageDraw.Draw(image)
    for _i in range(rng.randint(5, 8)):
        x, wide = rng.uniform(0, w), rng.uniform(0.03, 0.07) * w
        draw.rectangle((x, 0, x + wide, 0.86 * h), fill=jitter((86, 60, 40), rng))
    for _i in range(9):
        x, y, r = rng.uniform(0, w), rng.uniform(0, 0.26) * h, rng.uniform(0.08, 0.14) * h
        draw.ellipse((x - r, y - r, x + r, y + r), fill=jitter((46, 112, 58), rng))
    draw.rectangle((0, 0.86 * h, w, h), fill=(74, 62, 36))
    return image


def _mountains(size: tuple[int, int], rng: Random, _: RGB) -> Image.Image:
    w, h = size
    image = gradient(size, jitter((146, 190, 234), rng), (240, 244, 250))
    draw = ImageDraw.Draw(image)
    for _i in range(3):
        x, top, half = rng.uniform(0, w), rng.uniform(0.12, 0.36) * h, rng.uniform(0.28, 0.42) * w
        base = 0.74 * h
        draw.polygon([(x - half, base), (x, top), (x + half, base)], fill=jitter((110, 122, 148), rng))
        cap = 0.3
        draw.polygon(
            [(x - half * cap, top + (base - top) * cap), (x, top), (x + half * cap, top + (base - top) * cap)],
            fill=(250, 250, 254),
        )
    draw.rectangle((0, 0.72 * h, w, h), fill=jitter((236, 242, 248), rng, 6))
    return image


PAINTERS: dict[str, Painter] = {
    "studio": _studio,
    "park": _park,
    "beach": _beach,
    "street": _street,
    "room": _room,
    "forest": _forest,
    "night city": _night,
    "mountains": _mountains,
}
