"""Which family a checkpoint belongs to. A new family is one module and one line in FAMILIES."""

from __future__ import annotations

from pathlib import Path

from ..errors import UnsupportedModelError
from ..say import say
from . import chroma, flux1, flux2, lumina2, qwen, sd15, sd35, sdxl, zimage
from .base import Family
from .header import read_header
from .lookalikes import describe, distilled

FAMILIES: tuple[Family, ...] = (
    sd15.STARTER,
    sd15.SD15,
    sdxl.SDXL,
    flux1.FLUX1,
    sd35.SD35,
    zimage.ZIMAGE,
    qwen.QWEN,
    chroma.CHROMA,
    lumina2.LUMINA2,
    flux2.FLUX2,
)


def detect(path: Path) -> Family:
    """The family that can load ``path``; reads nothing but the file's header.

    Raises:
        UnsupportedModelError: no safetensors file, cut off, or a kind of model that cannot be
            trained; the text says what the file looks like and what is supported.
    """
    header = read_header(Path(path))
    reason = distilled(header)
    if reason:
        raise UnsupportedModelError(reason)
    for family in FAMILIES:
        if family.detect(header):
            return family
    says, advice = describe(header)
    titles = [family.title for family in FAMILIES]
    advice = advice or say("basemodel.take_one_of_these")
    raise UnsupportedModelError(
        say("basemodel.not_supported", name=Path(path).name, what=says, supported=titles, advice=advice)
    )


def family(family_id: str) -> Family:
    """The family with this id.

    Raises:
        UnsupportedModelError: there is none; the text lists those there are.
    """
    for candidate in FAMILIES:
        if candidate.id == family_id:
            return candidate
    raise UnsupportedModelError(say("basemodel.no_family", name=family_id, known=[one.id for one in FAMILIES]))
