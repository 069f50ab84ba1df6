"""Colours, letters and marks that all report pictures share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ..say import Said, heard, speaking, written

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Mark = Literal["keep", "warn", "reject"]


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb."""

    paper: str
    panel: str
    ink: str
    muted: str
    line: str
    keep: str
    warn: str
    reject: str
    accent: str

    def of(self, mark: Mark) -> str:
        """The colour of a verdict."""
        return {"keep": self.keep, "warn": self.warn, "reject": self.reject}[mark]


LIGHT = Theme(
    paper="#ffffff",
    panel="#f4f6f8",
    ink="#1b2230",
    muted="#5f6b7c",
    line="#d5dae2",
    keep="#187a48",
    warn="#a66a00",
    reject="#c0342b",
    accent="#3558d4",
)
DARK = Theme(
    paper="#15181d",
    panel="#1e2229",
    ink="#e9ecf1",
    muted="#9ba6b5",
    line="#343b46",
    keep="#4cc38a",
    warn="#e3b341",
    reject="#ff7f76",
    accent="#82a5ff",
)

_LATIN = 0x24F
"""The last letter that Pillow's own font has."""
_WIDE_FONTS = (
    "NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf", "msyh.ttc", "arial.ttf",
    "PingFang.ttc", "Arial Unicode.ttf",
)  # fmt: skip


@lru_cache(maxsize=64)
def font(size_px: int, text: str = "") -> Any:
    """A font for ``text``: Pillow's own for Latin letters, else the first installed one that is wider."""
    from PIL import ImageFont

    for name in _WIDE_FONTS if any(ord(c) > _LATIN for c in text) else ():
        try:
            return ImageFont.truetype(name, size_px)
        except OSError:
            continue  # not installed here
    return font(size_px) if text else ImageFont.load_default(size_px)


def drawable(text: str) -> str:
    """A message in English where no installed font has the letters of its own language; other texts as they are."""
    wide = next((c for c in text if ord(c) > _LATIN), "")
    if not wide or not isinstance(text, Said) or font(12, wide) is not font(12):
        return text
    with speaking("en"):
        return heard(written(text))


def width_of(text: str, size_px: int) -> float:
    """Width in px of a line of text."""
    return _width(drawable(text), size_px)


def write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size_px: int, fill: str, anchor: str = "la"
) -> None:
    """Draw one line of text; characters that cannot be shown are replaced, never an error."""
    clean = drawable(text).encode("utf-8", "replace").decode("utf-8")
    draw.text(at, clean, font=_font(clean, size_px), fill=fill, anchor=anchor)


def wrap(text: str, size_px: int, width_px: int, lines: int) -> list[str]:
    """``text`` broken at spaces (long words anywhere) into at most ``lines``; cut text ends in "..."."""
    rest, found = " ".join(drawable(text).encode("utf-8", "replace").decode("utf-8").split()), []
    while rest and len(found) < lines:
        count = _fitting(rest, size_px, width_px)
        if count < len(rest):
            space = rest.rfind(" ", 0, count + 1)
            count = space if space > 0 else count
        found.append(rest[:count].rstrip())
        rest = rest[count:].lstrip()
    if rest and found:
        last = found[-1]
        while last and _width(last + "...", size_px) > width_px:
            last = last[:-1]
        found[-1] = last.rstrip() + "..."
    return found


def mark_picture(mark: Mark, side_px: int, theme: Theme) -> Image.Image:
    """The verdict as shape and colour: tick in a circle, ! in a triangle, cross in a square. RGBA."""
    from PIL import Image, ImageDraw

    full = 4 * side_px
    image = Image.new("RGBA", (full, full), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    rim = full // 12
    _shape(draw, mark, 0, full, theme.paper)  # a rim, so that the mark stands out on any picture
    _shape(draw, mark, rim, full - 2 * rim, theme.of(mark))
    _sign(draw, mark, rim, full - 2 * rim, theme.paper)
    return image.resize((side_px, side_px), Image.Resampling.LANCZOS)


def _shape(draw: ImageDraw.ImageDraw, mark: Mark, at: int, s: int, fill: str) -> None:
    box = (at, at, at + s - 1, at + s - 1)
    if mark == "keep":
        draw.ellipse(box, fill=fill)
    elif mark == "warn":
        draw.polygon([(at + 0.5 * s, at), (at + s, at + 0.94 * s), (at, at + 0.94 * s)], fill=fill)
    else:
        draw.rounded_rectangle(box, radius=s // 7, fill=fill)


_SIGNS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "keep": (((0.27, 0.53), (0.43, 0.69), (0.74, 0.34)),),
    "warn": (((0.5, 0.36), (0.5, 0.64)), ((0.5, 0.74), (0.5, 0.84))),
    "reject": (((0.29, 0.29), (0.71, 0.71)), ((0.71, 0.29), (0.29, 0.71))),
}


def _sign(draw: ImageDraw.ImageDraw, mark: Mark, at: int, s: int, fill: str) -> None:
    for stroke in _SIGNS[mark]:
        line = [(at + x * s, at + y * s) for x, y in stroke]
        draw.line(line, fill=fill, width=max(s // 10, 1), joint="curve")


def mixed(a: str, b: str, share_of_b: float) -> str:
    """The colour between ``a`` and ``b``."""
    first, second = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (a, b))
    return "#" + "".join(f"{round(x + (y - x) * share_of_b):02x}" for x, y in zip(first, second, strict=True))


def _font(text: str, size_px: int) -> Any:
    return font(size_px, next((c for c in text if ord(c) > _LATIN), ""))


def _width(text: str, size_px: int) -> float:
    return _font(text, size_px).getlength(text)


def _fitting(text: str, size_px: int, width_px: int) -> int:
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _width(text[:middle], size_px) <= width_px else (low, middle - 1)
    return low
