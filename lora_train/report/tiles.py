"""One picture of a sheet: thumbnail, verdict mark, name and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..say import say
from .paper import Mark, Theme, mark_picture, wrap, write

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from ..dataset.manifest import Dataset, Entry

_NAME_PX, _TEXT_PX, _PAD_PX = 13, 12, 8


@dataclass(frozen=True)
class Tile:
    """What one tile says."""

    picture: Image.Image | None
    """None where there is nothing to show (an unreadable file)."""
    title: str
    mark: Mark | None = None
    lines: tuple[str, ...] = ()


def tile_height(side_px: int, text_lines: int) -> int:
    """Height of a drawn tile whose thumbnail area is ``side_px`` square."""
    return side_px + 2 * _PAD_PX + _NAME_PX + 4 + text_lines * (_TEXT_PX + 3)


def draw_tile(tile: Tile, side_px: int, text_lines: int, theme: Theme) -> Image.Image:
    """The tile as RGB of (``side_px``, :func:`tile_height`); rejected pictures are paler."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (side_px, tile_height(side_px, text_lines)), theme.paper)
    draw = ImageDraw.Draw(image)
    colour = theme.of(tile.mark) if tile.mark else theme.line
    border = 3 if tile.mark else 1
    draw.rounded_rectangle((0, 0, side_px - 1, side_px - 1), 6, fill=theme.panel)
    if tile.picture is None:
        write(draw, (side_px / 2, side_px / 2), say("report.no_picture"), _TEXT_PX, theme.muted, "mm")
    else:
        _paste(image, tile.picture, side_px, border, theme.panel if tile.mark == "reject" else None)
    draw.rounded_rectangle((0, 0, side_px - 1, side_px - 1), 6, outline=colour, width=border)
    if tile.mark:
        sign = mark_picture(tile.mark, 30, theme)
        image.paste(sign, (6, 6), sign)
    _words(draw, tile, side_px, text_lines, theme)
    return image


def _paste(image: Image.Image, picture: Image.Image, side_px: int, border: int, fade: str | None) -> None:
    from PIL import Image

    room = side_px - 2 * border
    thumb = picture.convert("RGB")
    scale = min(room / thumb.width, room / thumb.height)
    size = max(1, round(thumb.width * scale)), max(1, round(thumb.height * scale))
    thumb = thumb.resize(size, Image.Resampling.LANCZOS)
    if fade:
        thumb = Image.blend(thumb, Image.new("RGB", size, fade), 0.35)
    image.paste(thumb, (border + (room - size[0]) // 2, border + (room - size[1]) // 2))


def _words(draw: ImageDraw.ImageDraw, tile: Tile, side_px: int, text_lines: int, theme: Theme) -> None:
    y = side_px + _PAD_PX
    write(draw, (2, y), "".join(wrap(tile.title, _NAME_PX, side_px - 4, 1)), _NAME_PX, theme.ink)
    y += _NAME_PX + 4
    shown: list[str] = []
    for text in tile.lines:
        shown += wrap(text, _TEXT_PX, side_px - 4, text_lines - len(shown))
    colour = theme.muted if tile.mark in (None, "keep") else theme.of(tile.mark)
    for line in shown:
        write(draw, (2, y), line, _TEXT_PX, colour)
        y += _TEXT_PX + 3


def mark_of(entry: Entry) -> Mark:
    """reject, or warn when something is to be known about a kept photo, or keep."""
    if not entry.keep:
        return "reject"
    return "warn" if entry.reasons else "keep"


def reasons_of(entry: Entry) -> tuple[str, ...]:
    """The words under a photo: the user's decision first, then the reasons."""
    own = (say(f"report.by_hand_{entry.override}"),) if entry.override else ()
    ordered = sorted(entry.reasons, key=lambda r: r.severity != "reject")
    return (*own, *(r.text for r in ordered))


def photo_tiles(dataset: Dataset, thumbnail_px: int) -> list[Tile]:
    """A tile for each photo, unreadable files last; pixels are decoded small and one after another."""
    tiles = [_photo_tile(entry, thumbnail_px) for entry in dataset.entries]
    return tiles + [Tile(None, u.path.name, "reject", (u.reason,)) for u in dataset.unreadable]


def _photo_tile(entry: Entry, thumbnail_px: int) -> Tile:
    from ..dataset.photo import open_photo

    try:
        picture = open_photo(entry.photo.path, thumbnail_px)
    except BadInputError as error:  # gone or changed since the audit: the sheet says so
        return Tile(None, entry.name, "reject", (str(error), *reasons_of(entry)))
    return Tile(picture, entry.name, mark_of(entry), reasons_of(entry))


def crop_tiles(dataset: Dataset, thumbnail_px: int, theme: Theme) -> list[Tile]:
    """A tile for each crop of the kept photos: the photo with the cut-away part veiled."""
    from ..dataset.photo import open_photo

    tiles = []
    for entry in dataset.pictures:
        if entry.crop is None:
            continue
        photo = entry.photo
        small = open_photo(photo.path, thumbnail_px)
        scale = small.width / photo.width_px
        left, top, right, bottom = (round(v * scale) for v in entry.crop.box)
        veiled = veil(small, (left, top, right, bottom), theme)
        width, height = entry.crop.bucket
        size = say("report.crop", width=width, height=height, kind=say(f"report.crop_{entry.crop.kind}"))
        tiles.append(Tile(veiled, entry.name, None, (size, entry.caption)))
    return tiles


def veil(picture: Image.Image, box: tuple[int, int, int, int], theme: Theme) -> Image.Image:
    """The picture with everything outside ``box`` veiled and the box framed."""
    from PIL import Image, ImageDraw

    faded = Image.blend(picture, Image.new("RGB", picture.size, theme.paper), 0.62)
    left, top, right, bottom = box
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    faded.paste(picture.crop((left, top, right, bottom)), (left, top))
    width = max(2, max(picture.size) // 120)
    ImageDraw.Draw(faded).rectangle((left, top, right - 1, bottom - 1), outline=theme.accent, width=width)
    return faded
