"""Boxes and sizes as values."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lora_train.crop.geometry import Box, Extent, aspect_gap

sides = st.floats(1, 5000)
places = st.floats(-3000, 6000)


def test_extent() -> None:
    assert Extent(200, 100).aspect == 2
    assert Extent(2, 1).fitted_into(Extent(100, 100)) == Extent(100, 50)
    assert Extent(2, 1).around(Extent(100, 100)) == Extent(200, 100)


def test_box() -> None:
    box = Box(10, 20, 30, 60)
    assert box.extent == Extent(20, 40)
    assert box.centre == (20, 40)
    assert box.area == 800
    assert box.overlap(Box(20, 0, 100, 30)) == Box(20, 20, 30, 30)
    assert box.overlap(Box(100, 100, 200, 200)).area == 0
    assert box.padded(1, 2, 3, 4) == Box(9, 18, 33, 64)
    assert Box.centred(20, 40, Extent(20, 40)) == box


@given(sides, sides, sides, sides)
def test_fitting_keeps_the_aspect_and_stays_inside(w: float, h: float, ow: float, oh: float) -> None:
    fitted = Extent(w, h).fitted_into(Extent(ow, oh))
    assert math.isclose(fitted.aspect, w / h, rel_tol=1e-9)
    assert fitted.width <= ow * (1 + 1e-9) and fitted.height <= oh * (1 + 1e-9)


@given(places, places, st.floats(1, 400), st.floats(1, 400))
def test_pushed_in_keeps_the_size_and_lies_inside(x: float, y: float, w: float, h: float) -> None:
    outer = Box(0, 0, 400, 400)
    pushed = Box(x, y, x + w, y + h).pushed_into(outer)
    assert math.isclose(pushed.extent.width, w, rel_tol=1e-6)
    assert pushed.left >= -1e-6 and pushed.top >= -1e-6 and pushed.right <= 400 + 1e-6 and pushed.bottom <= 400 + 1e-6


@given(places, places, st.floats(0.1, 900), st.floats(0.1, 900))
def test_snapped_boxes_are_whole_pixels_inside(x: float, y: float, w: float, h: float) -> None:
    left, top, right, bottom = Box(x, y, x + w, y + h).snapped(Extent(640, 480))
    assert 0 <= left < right <= 640 and 0 <= top < bottom <= 480


def test_aspect_gap_is_fair_to_tall_and_wide() -> None:
    assert aspect_gap(2, 1) == aspect_gap(1, 2) == math.log(2)
    assert aspect_gap(1.5, 1.5) == 0
