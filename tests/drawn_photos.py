"""Small drawn photos for tests: flat portraits, textured ones, and files of every kind of damage."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

COLOURS = ("#7a4a2b", "#d94f30", "#2b6cb0", "#2f855a", "#b7791f", "#6b46c1", "#c53030", "#285e61")


def portrait(seed: int, size: tuple[int, int] = (256, 256), shift: tuple[float, float] = (0, 0)) -> Image.Image:
    """A flat person with crisp smooth edges and light grain; every seed has its own place and clothes."""
    rng = np.random.default_rng(seed)
    width, height = size[0] * 2, size[1] * 2
    image = Image.new("RGB", (width, height), tuple(int(v) for v in rng.integers(60, 200, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(0.05, 0.3) * width, rng.uniform(0.05, 0.3) * height
        draw.rectangle((x, y, x + w, y + h), fill=tuple(int(v) for v in rng.integers(30, 225, 3)))
    x, y = (0.5 + rng.uniform(-0.08, 0.08) + shift[0]) * width, (0.4 + shift[1]) * height
    r = rng.uniform(0.16, 0.22) * height
    clothes = COLOURS[int(rng.integers(len(COLOURS)))]
    draw.ellipse((x - 1.6 * r, y + r, x + 1.6 * r, y + 4 * r), fill=clothes)
    draw.ellipse((x - r, y - 1.3 * r, x + r, y + 1.2 * r), fill="#3b2314")
    draw.ellipse((x - 0.8 * r, y - r, x + 0.8 * r, y + 1.1 * r), fill="#e8b894")
    for eye in (-0.3, 0.3):
        draw.ellipse((x + (eye - 0.1) * r, y - 0.25 * r, x + (eye + 0.1) * r, y - 0.05 * r), fill="#1c1917")
    draw.arc((x - 0.4 * r, y + 0.2 * r, x + 0.4 * r, y + 0.7 * r), 20, 160, fill="#9b2c2c", width=int(0.08 * r))
    pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS), np.float32)
    return Image.fromarray(np.clip(pixels + rng.normal(0, 3, (*pixels.shape[:2], 1)), 0, 255).astype(np.uint8))


def textured(seed: int, side_px: int = 256) -> Image.Image:
    """Natural texture: noise with a 1/f spectrum in three channels, full contrast."""
    rng = np.random.default_rng(seed)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(side_px), np.fft.fftfreq(side_px)))
    f[0, 0] = 1.0
    layers = [np.fft.ifft2(np.fft.fft2(rng.normal(size=(side_px, side_px))) / f).real for _ in range(3)]
    pixels = np.stack([128 + 50 * v / v.std() for v in layers], axis=-1)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def blurred(image: Image.Image, sigma_px: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma_px)) if sigma_px else image


def scaled(image: Image.Image, factor: float) -> Image.Image:
    """All values times ``factor``, clipped."""
    return image.point(lambda v: min(255, round(v * factor)))


def save(image: Image.Image, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in (".jpg", ".jpeg"):
        options = {"quality": 92, **options}
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def bomb(path: Path, side_px: int = 30_000) -> Path:
    """A valid PNG header that promises side x side pixels, with a few bytes of data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path
