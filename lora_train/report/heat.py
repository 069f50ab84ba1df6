"""Where LoRAs meet: one row a pair, one square a block and kind of layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ..lora.verdict import stack_verdict_words
from ..say import say
from .paper import LIGHT, Theme, mixed, width_of, wrap, write

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from ..lora.balance import BlockPair, Conflicts, PairFound

_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX, _ROW_PX, _PAD_PX = 250, 190, 58, 44, 30, 14
_FULL = 0.5
"""A cosine from which on the colour is as strong as it gets."""


def heat_map(found: Conflicts, theme: Theme = LIGHT) -> Image.Image:
    """Colour: red where two LoRAs add up, blue where they cancel; size: the share of their energy there."""
    from PIL import Image, ImageDraw

    labels = found.blocks.labels
    cell = max(9, min(22, 760 // max(len(labels), 1)))
    width = max(_LEFT_PX + cell * len(labels) + _RIGHT_PX, _legend_px(theme))
    size = width, _TOP_PX + _ROW_PX * max(len(found.pairs), 1) + _BOTTOM_PX
    image = Image.new("RGB", size, theme.paper)
    draw = ImageDraw.Draw(image)
    write(draw, (_PAD_PX, 10), say("balance.heat_title", name=stack_verdict_words(found.verdict)), 15, theme.ink)
    _parts(draw, labels, cell, size[1] - _BOTTOM_PX, theme)
    for number, pair in enumerate(found.pairs):
        _row(draw, pair, labels, cell, _TOP_PX + number * _ROW_PX, theme)
    if not found.pairs:
        write(draw, (_PAD_PX, _TOP_PX), say("report.one_lora"), 12, theme.muted)
    _legend(draw, size[1] - 26, theme)
    return image


def _parts(draw: ImageDraw.ImageDraw, labels: Sequence[tuple[str, str]], cell: int, bottom: int, theme: Theme) -> None:
    """Names of the parts of the network above their columns, in the order in which it runs them."""
    start = 0
    for name, group in groupby(labels, key=lambda label: label[0].split(".")[0].replace("_blocks", "")):
        count = len(list(group))
        left = _LEFT_PX + start * cell
        draw.line((left, _TOP_PX - 6, left, bottom), fill=theme.line)
        shown = wrap(name.replace("_block", ""), 11, count * cell - 4, 1) if count * cell > 24 else []
        write(draw, (left + 3, _TOP_PX - 20), shown[0] if shown else "", 11, theme.muted)
        start += count


def _row(
    draw: ImageDraw.ImageDraw, pair: PairFound, labels: Sequence[tuple[str, str]], cell: int, top: int, theme: Theme
) -> None:
    names = wrap(f"{pair.a} / {pair.b}", 12, _LEFT_PX - 2 * _PAD_PX, 1)
    write(draw, (_PAD_PX, top + _ROW_PX / 2), names[0] if names else "", 12, theme.ink, "lm")
    largest = max((block.share for block in pair.blocks), default=1.0)
    for block in pair.blocks:
        column = labels.index((block.block, block.kind))
        _square(draw, block, largest, (_LEFT_PX + column * cell, top), cell, theme)
    text = say("report.pair", cosine=pair.cosine, overlap=pair.overlap)
    write(draw, (_LEFT_PX + cell * len(labels) + 10, top + _ROW_PX / 2), text, 12, theme.ink, "lm")


def _square(
    draw: ImageDraw.ImageDraw, block: BlockPair, largest: float, at: tuple[int, int], cell: int, theme: Theme
) -> None:
    side = max(2.0, (cell - 2) * (block.share / largest) ** 0.5)
    x, y = at[0] + cell / 2, at[1] + _ROW_PX / 2
    colour = theme.reject if block.cosine > 0 else theme.accent
    fill = mixed(theme.line, colour, min(1.0, abs(block.cosine) / _FULL))
    draw.rectangle((x - side / 2, y - side / 2, x + side / 2, y + side / 2), fill=fill)


def _legend_signs(theme: Theme) -> tuple[list[tuple[int, str, str]], int]:
    """The legend's signs as left edge, words and colour, and where its last words begin."""
    signs, left = [], _PAD_PX
    for colour, code in ((theme.reject, "add_up"), (theme.accent, "cancel"), (theme.line, "apart")):
        said = say(f"report.legend_{code}")
        signs.append((left, said, colour))
        left += max(100, round(width_of(said, 11)) + 34)
    return signs, left


def _legend_px(theme: Theme) -> int:
    return _legend_signs(theme)[1] + round(width_of(say("report.legend_size"), 11)) + _PAD_PX


def _legend(draw: ImageDraw.ImageDraw, y: int, theme: Theme) -> None:
    signs, left = _legend_signs(theme)
    for x, said, colour in signs:
        draw.rectangle((x, y, x + 10, y + 10), fill=colour)
        write(draw, (x + 16, y + 5), said, 11, theme.muted, "lm")
    write(draw, (left, y + 5), say("report.legend_size"), 11, theme.muted, "lm")
