"""The demo photos: enough good ones, every kind of bad one, and the truth beside them."""

import hashlib
from collections import Counter

import pytest
from PIL import Image

from lora_train.starter import render_demo
from lora_train.starter.demo import GOOD, ground_truth


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    assert render_demo(folder) == folder / "ground_truth.json"
    return folder


def test_every_file_is_in_the_truth(demo):
    assert {p.name for p in demo.glob("*.jpg")} == set(ground_truth(demo)["photos"])


def test_every_class_is_there(demo):
    photos = ground_truth(demo)["photos"]
    codes = Counter(code for p in photos.values() for code in p["codes"])
    assert codes == {
        "duplicate": 5,
        "blurry": 2,
        "too_dark": 2,
        "too_bright": 2,
        "too_small": 2,
        "person_too_small": 2,
        "many_people": 2,
        "same_background": 4,
        "unreadable": 1,
    }
    assert sum(name.startswith("good") for name in photos) == GOOD


def test_an_exact_copy_has_the_same_bytes(demo):
    photos = ground_truth(demo)["photos"]
    for name in ("exact_copy_0.jpg", "exact_copy_1.jpg"):
        twin = photos[name]["relatives"][0]
        assert (demo / name).read_bytes() == (demo / twin).read_bytes()


def test_good_photos_are_all_different(demo):
    digests = {hashlib.sha256(p.read_bytes()).hexdigest() for p in demo.glob("good_*.jpg")}
    assert len(digests) == GOOD


def test_captions_name_the_scene_and_not_the_identity(demo):
    words = ground_truth(demo)["words"]
    for caption in demo.glob("good_*.txt"):
        text = caption.read_text(encoding="utf-8")
        assert text.startswith("wearing a ") and not any(w in text for w in words)


def test_the_broken_one_is_broken(demo):
    with pytest.raises(OSError), Image.open(demo / "broken.jpg") as image:
        image.load()


def test_rendering_twice_gives_the_same_bytes(demo, tmp_path):
    render_demo(tmp_path)
    assert (tmp_path / "good_03.jpg").read_bytes() == (demo / "good_03.jpg").read_bytes()
