"""Any picture that Pillow decodes, as upright 8-bit sRGB."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

NEUTRAL = (128, 128, 128)
"""What shows through transparent parts: neither a black nor a white border to learn."""

_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""EXIF orientation -> Pillow's turn that makes it upright."""


def upright_rgb(image: Image.Image) -> Image.Image:
    """First frame of ``image``: mode RGB, EXIF orientation applied, on :data:`NEUTRAL`.

    16-bit and float pictures are brought to 8 bit; an embedded colour profile is converted to sRGB.
    """
    from PIL import Image

    image.load()
    profile = image.info.get("icc_profile")
    turn = _TURNS.get(orientation(image))
    upright = image.transpose(Image.Transpose[turn]) if turn else image
    if upright.mode.startswith("I") or upright.mode == "F":
        upright = _eight_bit(upright)
    if "A" in upright.mode or "a" in upright.mode or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        canvas = Image.new("RGBA", upright.size, (*NEUTRAL, 255))
        upright = Image.alpha_composite(canvas, upright)
    return _to_srgb(upright, profile)


def orientation(image: Image.Image) -> int:
    """How the camera was held, 1 (upright) to 8, as EXIF tag 0x0112 says; 1 where it lies or is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, struct.error):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _eight_bit(image: Image.Image) -> Image.Image:
    """Mode L from I, I;16, I;16B or F. Integers count to 65535, floats to 1 where none is larger."""
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = 1.0 if image.mode == "F" and values.max(initial=0.0) <= 1.0 else 255.0
    if image.mode != "F" and (image.mode != "I" or values.max(initial=0.0) > 255.0):
        top = 65535.0
    return Image.fromarray(np.clip(values / top * 255.0 + 0.5, 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Mode RGB; through the embedded profile where there is one that fits, else Pillow's own way."""
    if profile and image.mode in ("RGB", "CMYK"):
        converted = _through_profile(image, profile)
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """``image`` in sRGB, or None where the profile is sRGB already, damaged or for another mode."""
    try:
        from PIL import ImageCms
    except ImportError:  # Pillow built without LittleCMS
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
