"""The training sizes."""

from __future__ import annotations

import pytest

from lora_train.crop.buckets import bucket_step, buckets, nearest_bucket, resolution_of
from lora_train.crop.geometry import Extent
from lora_train.errors import BadInputError


def test_sd15_and_starter() -> None:
    assert buckets(512) == (
        (384, 640), (384, 704), (448, 576), (512, 512), (576, 448), (640, 384), (704, 384)
    )  # fmt: skip
    assert buckets(96) == ((64, 128), (96, 96), (128, 64))


@pytest.mark.parametrize("resolution_px", [64, 96, 128, 256, 512, 640, 768, 1024])
def test_every_set_of_buckets(resolution_px: int) -> None:
    found = buckets(resolution_px)
    step = bucket_step(resolution_px)
    assert (resolution_px, resolution_px) in found
    assert step % 8 == 0
    for width, height in found:
        assert width % step == 0 and height % step == 0
        assert 0.5 <= width / height <= 2
        assert width * height == pytest.approx(resolution_px**2, rel=0.16)
        assert (height, width) in found


@pytest.mark.parametrize("resolution_px", [0, 13, 60, 5000, 100])
def test_impossible_resolutions(resolution_px: int) -> None:
    with pytest.raises(BadInputError, match="multiple of 8 from 64 to 4096"):
        buckets(resolution_px)


@pytest.mark.parametrize("resolution_px", [64, 96, 128, 512, 640, 768, 832, 1024, 1536])
def test_sizes_tell_their_resolution(resolution_px: int) -> None:
    found = buckets(resolution_px)
    assert resolution_of(found) == resolution_px
    assert [resolution_of([size]) for size in found] == [resolution_px] * len(found)


def test_sizes_of_no_resolution_give_that_of_their_area() -> None:
    assert resolution_of([(500, 520)] * 3) == 512


def test_nearest_shape() -> None:
    assert nearest_bucket(Extent(3000, 3000), 512) == (512, 512)
    assert nearest_bucket(Extent(4000, 3000), 512) == (576, 448)
    assert nearest_bucket(Extent(2000, 3000), 512) == (384, 640)
    assert nearest_bucket(Extent(100, 900), 512) == (384, 704)


def test_small_resolutions_prefer_the_square() -> None:
    assert nearest_bucket(Extent(300, 200), 96) == (96, 96)
    assert nearest_bucket(Extent(512, 768), 96) == (96, 96)
    assert nearest_bucket(Extent(900, 300), 96) == (128, 64)
