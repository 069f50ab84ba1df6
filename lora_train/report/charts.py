"""The loss curve as a picture: raw values faint, smoothed in front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..say import say
from .paper import LIGHT, Theme, mixed, write

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_Span = tuple[float, float]
_Frame = tuple[int, int, int, int]
_INK = 2
"""Everything is drawn this much larger and reduced once: smooth lines."""


def loss_chart(
    losses: Sequence[float],
    *,
    steps: Sequence[int] | None = None,
    size: tuple[int, int] = (720, 300),
    theme: Theme = LIGHT,
    title: str | None = None,
    scale: int = 1,
) -> Image.Image:
    """Draw the loss over the steps.

    Args:
        losses: one value a step, or one at each of ``steps``; values that are not finite are left out.
        steps: step numbers, rising; 1, 2, 3, ... by default.
        size: (width, height) in px; letters are sized for it.
        scale: 2 draws everything twice as large, for dense screens.

    Returns:
        RGB picture; the axes alone when there are fewer than two values.
    """
    from PIL import Image, ImageDraw

    numbers = list(steps) if steps is not None else list(range(1, len(losses) + 1))
    points = [(s, float(v)) for s, v in zip(numbers, losses, strict=True) if math.isfinite(v)]
    image = Image.new("RGB", (size[0] * _INK, size[1] * _INK), theme.paper)
    draw, final = ImageDraw.Draw(image), (size[0] * scale, size[1] * scale)
    frame = (64 * _INK, 40 * _INK, (size[0] - 20) * _INK, (size[1] - 36) * _INK)
    head = say("report.loss") if title is None else title
    write(draw, (16 * _INK, 12 * _INK), head, 15 * _INK, theme.ink)
    if len(points) < 2:
        write(
            draw,
            ((frame[0] + frame[2]) / 2, (frame[1] + frame[3]) / 2),
            say("report.no_values"),
            13 * _INK,
            theme.muted,
            "mm",
        )
        return image.resize(final, Image.Resampling.LANCZOS)
    smooth = smoothed([v for _, v in points])
    x_range, y_range = (points[0][0], points[-1][0]), _y_range([v for _, v in points], smooth)
    _axes(draw, frame, x_range, y_range, theme)
    raw = _curve(points, frame, x_range, y_range)
    front = _curve([(s, v) for (s, _), v in zip(points, smooth, strict=True)], frame, x_range, y_range)
    draw.line(raw, fill=mixed(theme.paper, theme.accent, 0.28), width=_INK)
    draw.line(front, fill=theme.accent, width=round(2.5 * _INK), joint="curve")
    x, y = front[-1]
    draw.ellipse((x - 4 * _INK, y - 4 * _INK, x + 4 * _INK, y + 4 * _INK), fill=theme.accent)
    write(
        draw,
        (frame[2], 14 * _INK),
        say("report.smoothed", first=smooth[0], last=smooth[-1]),
        12 * _INK,
        theme.muted,
        "ra",
    )
    return image.resize(final, Image.Resampling.LANCZOS)


def smoothed(values: Sequence[float], span: float | None = None) -> list[float]:
    """Moving average, exponential and without the pull of its start (Adam's bias correction).

    ``span`` is how many values count, by default a tenth of them, at least 5.
    """
    span = max(5.0, len(values) / 10) if span is None else span
    keep, mean, weight, found = 1 - 1 / span, 0.0, 0.0, []
    for value in values:
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        found.append(mean / weight)
    return found


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers (1, 2 or 5 times a power of ten) in ``low``..``high``."""
    raw = (high - low) / max(count, 1)
    if raw <= 0 or not math.isfinite(raw):
        return [low]
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _y_range(values: Sequence[float], smooth: Sequence[float]) -> tuple[float, float]:
    """Lowest value to the 98th percentile: one wild step must not flatten the curve."""
    ordered = sorted(values)
    top = max(ordered[int(0.98 * (len(ordered) - 1))], *smooth)
    low = min(ordered[0], *smooth)
    pad = 0.06 * (top - low) or max(abs(top), 1e-6) * 0.1
    return (low - pad if low < 0 or low - pad > 0 else 0.0), top + pad


def _axes(draw: ImageDraw.ImageDraw, frame: _Frame, x_range: _Span, y_range: _Span, theme: Theme) -> None:
    left, top, right, bottom = frame
    for value in nice_ticks(y_range[0], y_range[1], 4):
        y = _at(value, y_range, bottom, top)
        draw.line([(left, y), (right, y)], fill=theme.line, width=_INK)
        write(draw, (left - 8 * _INK, y), f"{value:.6g}", 11 * _INK, theme.muted, "rm")
    for value in nice_ticks(x_range[0], x_range[1], 6):
        if value == int(value):
            x = _at(value, x_range, left, right)
            draw.line([(x, bottom), (x, bottom + 4 * _INK)], fill=theme.muted, width=_INK)
            write(draw, (x, bottom + 8 * _INK), f"{int(value)}", 11 * _INK, theme.muted, "ma")
    draw.line([(left, bottom), (right, bottom)], fill=theme.muted, width=_INK)
    write(draw, (left - 8 * _INK, bottom + 8 * _INK), say("report.step"), 11 * _INK, theme.muted, "ra")


def _curve(points: list[tuple[int, float]], frame: _Frame, x_range: _Span, y_range: _Span) -> list[_Span]:
    left, top, right, bottom = frame
    return [(_at(x, x_range, left, right), max(top, _at(y, y_range, bottom, top))) for x, y in points]


def _at(value: float, span: _Span, start: float, end: float) -> float:
    share = (value - span[0]) / ((span[1] - span[0]) or 1.0)
    return start + share * (end - start)
