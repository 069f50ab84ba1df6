"""Report pictures: sizes, colours that mean something, and text that never breaks them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lora_train.dataset.manifest import Crop, Dataset, Reason
from lora_train.dataset.photo import Unreadable
from lora_train.dataset.scan import scan
from lora_train.report.charts import loss_chart, nice_ticks, smoothed
from lora_train.report.paper import DARK, LIGHT, Theme, mark_picture, mixed, wrap
from lora_train.report.sheets import SampleRow, contact_sheet, crop_sheet, dataset_sheet, sample_sheet
from lora_train.report.tiles import Tile, draw_tile, mark_of, photo_tiles, reasons_of, tile_height, veil


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def count(image: Image.Image, colour: str, near: int = 0) -> int:
    apart = np.abs(np.asarray(image.convert("RGB"), int) - rgb(colour)).max(axis=2)
    return int((apart <= near).sum())


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for i in range(3):
        Image.new("RGB", (60 + 20 * i, 80), (40 * i, 90, 60)).save(tmp_path / f"p{i}.png")
    found = Dataset.of(scan(tmp_path))
    blurred = Reason("blurry", 41, 60, "blurred: sharpness 41 of at least 60")
    series = Reason("same_background", 4, 2, "one of 4", "warn")
    crop = Crop((10, 0, 60, 50), (96, 96), "portrait")
    a, b, c = found.entries
    rows = (
        replace(a, crop=crop),
        replace(b, keep=False, reasons=(series, blurred)),
        replace(c, reasons=(series,), crop=crop),
    )
    return replace(found, entries=rows, unreadable=(Unreadable(tmp_path / "x.jpg", "zero bytes"),))


def test_marks_differ_in_shape_not_only_in_colour() -> None:
    shapes = [np.asarray(mark_picture(m, 24, LIGHT))[..., 3] > 128 for m in ("keep", "warn", "reject")]
    for i, a in enumerate(shapes):
        for b in shapes[:i]:
            assert (a != b).mean() > 0.04


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_colours_are_readable(theme: Theme) -> None:
    def luminance(colour: str) -> float:
        parts = [c / 255 for c in rgb(colour)]
        line = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2]

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for colour in (theme.ink, theme.muted, theme.keep, theme.warn, theme.reject):
        assert contrast(colour, theme.paper) >= 4.2


def test_wrap_fits_and_says_when_it_cut() -> None:
    lines = wrap("same picture as a_very_long_file_name_without_any_space_in_it.jpg, distance 3", 12, 100, 3)
    assert len(lines) == 3 and lines[-1].endswith("...")
    assert wrap("short", 12, 100, 3) == ["short"]
    assert wrap("", 12, 100, 3) == [] and wrap("word", 12, 100, 0) == []


def test_verdicts_of_tiles(dataset: Dataset) -> None:
    assert [mark_of(e) for e in dataset.entries] == ["keep", "reject", "warn"]
    assert reasons_of(dataset.entries[1])[0].startswith("blurred")
    forced = dataset.override(keep=["p1.png"]).entries[1]
    assert reasons_of(forced)[0] == "kept by hand"
    tiles = photo_tiles(dataset, 64)
    assert tiles[-1] == Tile(None, "x.jpg", "reject", ("zero bytes",))


def test_a_photo_that_vanished_gets_a_tile(dataset: Dataset) -> None:
    dataset.entries[0].photo.path.unlink()
    tile = photo_tiles(dataset, 64)[0]
    assert tile.picture is None and tile.mark == "reject" and "p0.png" in tile.lines[0]


def test_tile_is_framed_in_the_colour_of_its_verdict() -> None:
    picture = Image.new("RGB", (50, 30), (0, 0, 255))
    for mark, colour in (("keep", LIGHT.keep), ("warn", LIGHT.warn), ("reject", LIGHT.reject)):
        tile = draw_tile(Tile(picture, "a", mark), 100, 2, LIGHT)  # type: ignore[arg-type]
        assert tile.size == (100, tile_height(100, 2))
        assert tile.getpixel((50, 1)) == rgb(colour)
    faded = draw_tile(Tile(picture, "a", "reject"), 100, 2, LIGHT).getpixel((70, 50))
    assert draw_tile(Tile(picture, "a", "keep"), 100, 2, LIGHT).getpixel((70, 50)) == (0, 0, 255) != faded


@pytest.mark.parametrize("name", ["Ünïcödé", "写真", "a\udcff.jpg", "x" * 300, "", "tab\tand\nline"])
def test_any_name_can_be_drawn(name: str) -> None:
    assert draw_tile(Tile(None, name, "keep", (name, name)), 90, 2, DARK).width == 90


def test_sheets_hold_everything(dataset: Dataset) -> None:
    sheet = dataset_sheet(dataset, side_px=100)
    assert count(sheet, LIGHT.keep) > 200 and count(sheet, LIGHT.warn) > 200
    assert count(sheet, LIGHT.reject) > 400
    crops = crop_sheet(dataset, side_px=100)
    assert count(crops, LIGHT.accent, near=40) > 100
    assert contact_sheet([], title="nothing").width >= 260


def test_veil_leaves_the_crop_untouched() -> None:
    picture = Image.new("RGB", (200, 100), (200, 30, 30))
    veiled = veil(picture, (50, 20, 120, 90), LIGHT)
    assert veiled.getpixel((80, 50)) == (200, 30, 30)
    assert veiled.getpixel((10, 10)) != (200, 30, 30)
    assert veiled.getpixel((50, 50)) == rgb(LIGHT.accent)
    assert veil(picture, (500, 500, 400, 400), LIGHT).size == (200, 100)


def test_sample_sheet_places_pictures_in_the_grid() -> None:
    red, blue = Image.new("RGB", (10, 10), (255, 0, 0)), Image.new("RGB", (10, 10), (0, 0, 255))
    sheet = sample_sheet(
        [SampleRow("without", [red] * 3), SampleRow("with", [blue] * 2)],
        columns=["seed 1", "seed 2", "seed 3"],
        cell_px=40,
    )
    assert count(sheet, "#ff0000") == 3 * 1600 and count(sheet, "#0000ff") == 2 * 1600
    assert sample_sheet([]).width > 100


def test_smoothing_starts_at_the_first_value_and_follows() -> None:
    assert smoothed([3.0] * 20) == pytest.approx([3.0] * 20)
    assert smoothed([1.0])[0] == pytest.approx(1.0)
    curve = smoothed([1.0] * 50 + [0.0] * 200, span=10)
    assert curve[49] == pytest.approx(1) and curve[-1] < 1e-6
    assert smoothed([]) == []


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 1, 4, [0, 0.5, 1]),
        (0, 400, 4, [0, 100, 200, 300, 400]),
        (0.11, 0.19, 4, [0.12, 0.14, 0.16, 0.18]),
        (5, 5, 4, [5]),
    ],
)
def test_nice_ticks(low: float, high: float, count: int, expected: list[float]) -> None:
    assert nice_ticks(low, high, count) == pytest.approx(expected)


def test_falling_loss_is_drawn_falling() -> None:
    image = loss_chart([math.exp(-i / 30) for i in range(200)])
    assert image.size == (720, 300)
    columns = np.argwhere((np.asarray(image) == rgb(LIGHT.accent)).all(axis=2))  # (row, column)
    first, last = columns[columns[:, 1] < 80][:, 0].mean(), columns[columns[:, 1] > 600][:, 0].mean()
    assert first + 100 < last


def test_one_wild_step_does_not_flatten_the_curve() -> None:
    calm = [0.2 - 0.1 * i / 300 for i in range(300)]
    wild = list(calm)
    wild[150] = 1000.0
    charts = [np.asarray(loss_chart(values)) for values in (calm, wild)]
    rows = [np.argwhere((chart == rgb(LIGHT.accent)).all(axis=2))[:, 0] for chart in charts]
    assert np.ptp(rows[0]) > 100
    assert np.ptp(rows[1]) > 30


_ODD = ([], [0.1], [float("nan")] * 5, [0.5, float("inf"), 0.4], [0.2] * 10, [0.0] * 3)


@pytest.mark.parametrize("losses", _ODD)
def test_odd_losses_are_still_a_chart(losses: list[float]) -> None:
    assert loss_chart(losses, size=(300, 160), theme=DARK).size == (300, 160)


def test_mixed() -> None:
    assert mixed("#000000", "#ffffff", 0.5) == "#808080"
