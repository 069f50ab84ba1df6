"""From a dataset to cut-outs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from drawn_photos import portrait, save, textured
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lora_train.crop import CropSettings, crop_dataset, render_crop
from lora_train.crop.buckets import buckets
from lora_train.crop.framing import frame_subject
from lora_train.crop.geometry import Box, Extent
from lora_train.crop.subject import Subject
from lora_train.dataset.manifest import Crop, Dataset, Entry, Reason
from lora_train.dataset.photo import Photo
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError
from lora_train.faces.types import Body, Face, People
from lora_train.observer import RecordingObserver

shares = st.floats(0, 0.9)


def dataset(folder: Path, *sizes: tuple[int, int]) -> Dataset:
    for i, size in enumerate(sizes):
        save(portrait(i, size), folder / f"{i}.png")
    return Dataset.of(scan(folder))


@given(st.integers(40, 6000), st.integers(40, 6000), shares, shares, st.floats(0.02, 1), st.floats(0.02, 1),
       st.booleans(), st.sampled_from([96, 512, 1024]))  # fmt: skip
def test_any_subject_in_any_photo_gives_a_box_of_its_bucket_inside_the_photo(
    width: int, height: int, x: float, y: float, w: float, h: float, sure: bool, resolution_px: int
) -> None:
    subject = Subject(Box(x, y, min(1.0, x + w), min(1.0, y + h)), sure)
    crop = frame_subject(Extent(width, height), subject, resolution_px)
    left, top, right, bottom = crop.box
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    assert crop.bucket in buckets(resolution_px)
    aspect = crop.bucket[0] / crop.bucket[1]
    # One pixel of rounding in each direction.
    assert (right - left - 1) / (bottom - top + 1) <= aspect <= (right - left + 1) / max(1, bottom - top - 1)
    assert crop.kind == ("subject" if sure else "whole")


def test_a_small_subject_is_brought_nearer_and_not_enlarged() -> None:
    subject = Subject(Box(0.6, 0.5, 0.7, 0.7), True)
    crop = frame_subject(Extent(4000, 3000), subject, 512)
    left, top, right, bottom = crop.box
    assert left <= 2400 and right >= 2800 and top <= 1500 and bottom >= 2100
    assert (right - left) * (bottom - top) < 0.15 * 4000 * 3000
    assert crop.upscale <= 1.01


def test_a_large_subject_keeps_the_photo() -> None:
    crop = frame_subject(Extent(3000, 3000), Subject(Box(0.2, 0.1, 0.8, 0.9), True), 512)
    assert crop.box == (0, 0, 3000, 3000)


def test_the_head_stays_when_the_photo_is_taller_than_the_bucket() -> None:
    crop = frame_subject(Extent(1000, 1900), Subject(Box(0.2, 0.1, 0.8, 0.95), True), 96)
    assert crop.bucket == (96, 96)
    assert crop.box[1] <= 190


def test_only_kept_photos_get_a_crop(tmp_path: Path) -> None:
    data = dataset(tmp_path, (200, 200), (200, 200)).override(reject=["1.png"])
    seen = RecordingObserver()
    done = crop_dataset(data, 96, seen)
    assert [e.crop is not None for e in done.entries] == [True, False]
    assert seen.of("progress")[-1] == (2, 2)


def test_a_crop_that_is_enlarged_is_noted_and_kept(tmp_path: Path) -> None:
    data = dataset(tmp_path, (200, 200), (1000, 1000))
    small, large = crop_dataset(data, 512).entries
    assert small.codes("warn") == ("upscaled",) and small.keep
    assert small.reasons[0].value == pytest.approx(512 / 200, rel=0.1)
    assert large.codes("warn") == ()
    again = crop_dataset(crop_dataset(data, 512), 512).entries[0]
    assert again.codes("warn") == ("upscaled",)
    assert crop_dataset(crop_dataset(data, 512), 96).entries[0].codes("warn") == ()


def test_other_reasons_are_kept(tmp_path: Path) -> None:
    data = dataset(tmp_path, (200, 200))
    note = Reason("same_background", 4, 2, "One of 4.", "warn")
    data = dataclasses.replace(data, entries=(dataclasses.replace(data.entries[0], reasons=(note,)),))
    assert crop_dataset(data, 96).entries[0].reasons == (note,)


def test_a_photo_that_broke_since_is_rejected(tmp_path: Path) -> None:
    data = dataset(tmp_path, (200, 200), (200, 200))
    path = tmp_path / "0.png"
    path.write_bytes(path.read_bytes()[:500])
    done = crop_dataset(data, 96)
    assert done.entries[0].codes() == ("unreadable",) and not done.entries[0].keep
    assert done.entries[1].crop is not None


def test_nothing_to_crop(tmp_path: Path) -> None:
    data = dataset(tmp_path, (200, 200)).override(reject=["0.png"])
    with pytest.raises(BadInputError, match="no photo to crop"):
        crop_dataset(data, 96)


def test_rendered_crop_has_the_size_of_its_bucket_and_the_right_place(tmp_path: Path) -> None:
    pixels = np.zeros((600, 900, 3), np.uint8)
    pixels[100:300, 500:700] = (255, 0, 0)
    save(Image.fromarray(pixels), tmp_path / "a.png")
    entry = Dataset.of(scan(tmp_path)).entries[0]
    red = render_crop(dataclasses.replace(entry, crop=Crop((500, 100, 700, 300), (96, 96), "subject")))
    assert (red.size, red.mode) == ((96, 96), "RGB")
    assert np.asarray(red)[3:-3, 3:-3].reshape(-1, 3).min(axis=0).tolist() == [255, 0, 0]
    half = render_crop(dataclasses.replace(entry, crop=Crop((400, 100, 600, 300), (64, 64), "subject")))
    assert np.asarray(half)[32, 10].tolist() == [0, 0, 0]
    assert np.asarray(half)[32, 54].tolist() == [255, 0, 0]


def test_rendering_is_deterministic(tmp_path: Path) -> None:
    entry = crop_dataset(dataset(tmp_path, (500, 400)), 96).entries[0]
    assert render_crop(entry).tobytes() == render_crop(entry).tobytes()


def test_rendering_without_a_crop(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="has no crop yet"):
        render_crop(Entry(dataset(tmp_path, (100, 100)).entries[0].photo))


# -- people, several crops, own boxes -------------------------------------------------------------------


def person_in(photo: object) -> People:
    face = Face(box=(0.45, 0.15, 0.55, 0.25), confidence=0.9, eyes=((0.48, 0.19), (0.52, 0.19)))
    parts = {"left_ankle": (0.48, 0.93, 0.9), "right_ankle": (0.52, 0.93, 0.2), "left_knee": (0.48, 0.7, 0.9)}
    return People("test", (face,), Body((0.38, 0.12, 0.62, 0.96), 0.1, parts))


def test_people_are_framed_by_face_and_body(tmp_path: Path) -> None:
    data = dataset(tmp_path, (900, 1200))
    settings = CropSettings(96, crops_per_photo=3)
    entry = crop_dataset(data, settings, look=person_in).entries[0]
    assert entry.crop is not None and entry.crop.kind == "full"
    assert entry.crop.box[1] <= 0.125 * 1200 and entry.crop.box[3] >= 0.96 * 1200
    assert [c.kind for c in entry.more_crops] == ["portrait", "half"]
    again = crop_dataset(crop_dataset(data, settings, look=person_in), 96, look=person_in).entries[0]
    assert again.more_crops == ()


def test_relatives_are_pictures_but_no_photos(tmp_path: Path) -> None:
    data = crop_dataset(
        dataset(tmp_path, (900, 1200), (900, 1200)), CropSettings(96, crops_per_photo=2), look=person_in
    )
    assert len(data.kept) == 2 and len(data.pictures) == 4
    assert [p.name for p in data.pictures] == ["0.png", "0.png", "1.png", "1.png"]
    assert {len(p.crops) for p in data.pictures} == {1}
    assert data.digest() != crop_dataset(data, 96, look=person_in).digest()
    assert Dataset.from_json(data.to_json()) == data


def test_faces_in_few_photos_make_no_set_of_people(tmp_path: Path) -> None:
    data = dataset(tmp_path, (300, 400), (300, 400), (300, 400))

    def look(photo: Photo) -> People:
        return person_in(photo) if photo.name == "1.png" else People("test", ())

    assert {e.crop.kind for e in crop_dataset(data, 96, look=look).entries if e.crop} <= {"subject", "whole"}


def test_own_box_is_followed_and_alone(tmp_path: Path) -> None:
    data = dataset(tmp_path, (900, 1200)).override(boxes={"0.png": (100, 200, 500, 600)})
    entry = crop_dataset(data, CropSettings(96, crops_per_photo=3), look=person_in).entries[0]
    assert entry.crop == Crop((100, 200, 500, 600), (96, 96), "own") and entry.more_crops == ()
    with pytest.raises(BadInputError, match="does not lie in '0.png', which has 900 x 1200 px"):
        data.override(boxes={"0.png": (0, 0, 901, 10)})


def test_empty_borders_are_cut_off(tmp_path: Path) -> None:
    framed = Image.new("RGB", (400, 600), "white")
    framed.paste(textured(1, 400), (0, 100))
    save(framed, tmp_path / "a.png")
    data = Dataset.of(scan(tmp_path))
    crop = crop_dataset(data, 96).entries[0].crop
    assert crop is not None and crop.box[1] >= 100 and crop.box[3] <= 500
    kept = crop_dataset(data, CropSettings(512, remove_borders=False)).entries[0].crop
    assert kept is not None and kept.box[1] < 100


def test_a_second_face_in_the_crop_is_told(tmp_path: Path) -> None:
    def two(photo: object) -> People:
        main = Face(box=(0.3, 0.2, 0.55, 0.6), confidence=0.9)
        return People("test", (main, Face(box=(0.52, 0.3, 0.7, 0.6), confidence=0.9)))

    entry = crop_dataset(dataset(tmp_path, (600, 600)), 512, look=two).entries[0]
    assert "second_person" in entry.codes("warn")


def test_impossible_settings_are_told_at_once() -> None:
    with pytest.raises(BadInputError) as caught:
        CropSettings(512, framing="wide", crops_per_photo=9)  # type: ignore[arg-type]
    assert "wide" in str(caught.value) and "from 1 to 3" in str(caught.value)
