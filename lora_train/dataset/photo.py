"""One photo: what the file says about itself, and its pixels, upright and in RGB.

Files are read, never written. The size in the header is checked before a pixel is decoded.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError
from ..files import sha256_of
from ..say import say
from .pixels import orientation, upright_rgb
from .sidecars import sidecar_caption

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 178_956_970
"""Largest picture that is decoded: twice Pillow's own warning limit (a 13,377 px square)."""

_LOOSE = 2.4
"""How much too large a picture may be that was asked for inexactly: JPEG halves sizes, with 1.2 to spare."""

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")
"""Pillow formats that are opened. Others (EPS, PSD, ...) run foreign code or hold no photos."""

SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".gif",
        ".avif",
        ".heic",
        ".heif",
        ".hif",
        ".mpo",
    ]
)
_PLUGIN = {
    ".heic": "pillow-heif",
    ".heif": "pillow-heif",
    ".hif": "pillow-heif",
    ".avif": "pillow-avif-plugin",
}
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError, AttributeError,
           ArithmeticError, MemoryError, RuntimeError, struct.error, zlib.error)  # fmt: skip
"""What Pillow's decoders raise on damaged files."""
_DATE, _EXIF_IFD, _DATE_ORIGINAL, _FOCAL_35MM = 0x0132, 0x8769, 0x9003, 0xA405
_TIFF_SIZE = (0x0100, 0x0101)


@dataclass(frozen=True)
class Photo:
    """A photo file that has a readable header. Sizes are upright, after EXIF orientation."""

    path: Path
    sha256: str
    width_px: int
    height_px: int
    format: str
    caption: str | None = None
    """Text of ``photo.txt``, ``photo.caption`` or the row in ``metadata.jsonl``, where there is one."""
    focal_35mm: float | None = None
    taken: str | None = None
    """EXIF date as written by the camera: ``YYYY:MM:DD HH:MM:SS``."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def short_side_px(self) -> int:
        return min(self.width_px, self.height_px)


@dataclass(frozen=True)
class Unreadable:
    """A file that should be a photo and cannot be used."""

    path: Path
    reason: str


def read_photo(path: Path) -> Photo:
    """The record of one photo, from its header, EXIF data, sidecar caption and content hash.

    Raises:
        BadInputError: empty, no image, too large, or of a kind whose plug-in is missing.
    """
    with _opened(path) as image:
        width, height = _stored_size(image)
        if orientation(image) in (5, 6, 7, 8):
            width, height = height, width
        taken, focal = _camera_facts(image)
        kind = image.format or "?"
    try:
        sha256, caption = sha256_of(path), sidecar_caption(path)
    except OSError as error:
        raise BadInputError(_why_closed(path, error)) from error
    return Photo(
        path=path,
        sha256=sha256,
        width_px=width,
        height_px=height,
        format=kind,
        caption=caption,
        focal_35mm=focal,
        taken=taken,
    )


def open_photo(path: Path, max_side_px: int | None = None, exact: bool = True) -> Image.Image:
    """The first frame of a photo: mode RGB, 8 bit, upright, transparency on neutral grey, sRGB.

    With ``max_side_px`` the longer side is brought down to at most that (never up); JPEGs are
    then decoded at reduced scale. ``exact`` False leaves it at that: the picture may be up to 2.4 times
    as large, and costs no second scaling where the caller scales it anyway.

    Raises:
        BadInputError: missing, empty, truncated, no image, more than :data:`MAX_PIXELS` pixels.
    """
    from PIL import Image

    path = Path(path)
    with _opened(path) as image:
        if max_side_px:
            scale = max_side_px / max(image.size)
            if scale < 1:
                # A little more than the target leaves the last step to a proper filter.
                image.draft("RGB", (int(image.width * scale * 1.2), int(image.height * scale * 1.2)))
        upright = upright_rgb(image)
    if max_side_px and max(upright.size) > max_side_px * (1.0 if exact else _LOOSE):
        scale = max_side_px / max(upright.size)
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return upright


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """An opened, not yet decoded image of an allowed format and size; its failures in plain words."""
    from PIL import Image, UnidentifiedImageError

    _register_plugins()
    try:
        if path.stat().st_size == 0:
            raise BadInputError(say("photos.file_empty", name=path.name))
        with Image.open(path, formats=[f for f in FORMATS if f in Image.OPEN]) as image:
            _check_size(path, image.size)
            yield image
    except UnidentifiedImageError as error:
        raise BadInputError(_why_unidentified(path)) from error
    except Image.DecompressionBombError as error:
        raise BadInputError(say("photos.too_many_pixels", name=path.name, why=error)) from error
    except _DAMAGE as error:
        raise BadInputError(_why_closed(path, error)) from error


def _stored_size(image: Any) -> tuple[int, int]:
    """Width and height as they lie in the file; newer Pillows turn the size of a TIFF by themselves."""
    if image.format == "TIFF":
        width, height = (image.tag_v2.get(tag) for tag in _TIFF_SIZE)
        if isinstance(width, int) and isinstance(height, int):
            return width, height
    return image.size


def _camera_facts(image: Any) -> tuple[str | None, float | None]:
    """Date and focal length; None where the EXIF data lacks them or is damaged: the pixels may be fine."""
    try:
        exif = image.getexif()
        details = exif.get_ifd(_EXIF_IFD)
        taken = details.get(_DATE_ORIGINAL) or exif.get(_DATE)
        text = str(taken).strip("\x00 ")[:40] if isinstance(taken, str) else ""
        return text or None, _positive(details.get(_FOCAL_35MM))
    except _DAMAGE:
        return None, None


def _why_closed(path: Path, error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return say("photos.no_file", path=path)
    if isinstance(error, OSError) and error.strerror:
        return say("photos.file_closed", name=path.name, reason=error.strerror)
    return say("photos.file_damaged", name=path.name, reason=str(error).rstrip(".") or type(error).__name__)


def _check_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        megapixels, most = width * height / 1e6, MAX_PIXELS / 1e6
        raise BadInputError(
            say("photos.too_large", name=path.name, width=width, height=height, megapixels=megapixels, most=most)
        )


def _why_unidentified(path: Path) -> str:
    package, kind = _PLUGIN.get(path.suffix.lower()), path.suffix[1:].upper()
    if package:
        return say("photos.no_plugin", name=path.name, kind=kind, package=package)
    return say("photos.no_image", name=path.name, kind=kind)


def _register_plugins() -> None:
    """Make Pillow know its own formats, and HEIC where the plug-in package is installed."""
    from PIL import Image

    Image.init()
    if "HEIF" not in Image.OPEN:
        _register_heif()


@cache
def _register_heif() -> None:
    """Once: Python looks for a package that is not there anew each time it is imported."""
    try:
        import pillow_heif  # type: ignore[import-not-found]
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < 10_000 else None
