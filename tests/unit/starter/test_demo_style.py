"""The demo pictures of a style: nothing repeats but the look, and an audit finds what was planted."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from lora_train.starter import render_style_demo
from lora_train.starter.demo import ground_truth
from lora_train.starter.demo_style import INKS, PICTURES, printed


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("style")
    assert render_style_demo(folder) == folder / "ground_truth.json"
    return folder


def distance_to_the_inks(image):
    """How far each pixel is from the nearest point of the line through the inks, in colour levels."""
    pixels = np.asarray(image.convert("RGB"), np.float64).reshape(-1, 3)
    inks, nearest = np.asarray(INKS, np.float64), np.full(len(pixels), np.inf)
    for a, b in zip(inks, inks[1:], strict=False):
        along = ((pixels - a) @ (b - a) / ((b - a) @ (b - a))).clip(0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(pixels - a - along[:, None] * (b - a), axis=1))
    return nearest


def test_every_picture_is_made_of_the_inks(demo):
    for path in sorted(demo.glob("print_*.jpg"))[::8]:
        with Image.open(path) as image:
            assert np.percentile(distance_to_the_inks(image), 90) < 8


def test_a_print_spans_from_ink_to_paper_whatever_the_light():
    ramp = Image.linear_gradient("L").convert("RGB")
    for light in (0.3, 0.6, 1.0):
        out = np.asarray(printed(ramp.point([round(v * light) for v in range(256)] * 3)))
        assert tuple(out[2, 128]) == INKS[0] and tuple(out[-3, 128]) == INKS[-1]


def test_what_is_not_for_training_is_in_the_truth(demo):
    photos = ground_truth(demo)["photos"]
    assert Counter(code for p in photos.values() for code in p["codes"]) == {
        "duplicate": 1,
        "blurry": 1,
        "too_small": 1,
    }
    assert sum(p["keep"] for p in photos.values()) == PICTURES == len(list(demo.glob("*.txt")))


def test_captions_say_what_is_seen_and_never_the_look(demo):
    for caption in demo.glob("*.txt"):
        text = caption.read_text(encoding="utf-8")
        assert "skin" in text and "wearing a " in text
        assert not {"ink", "inks", "print", "printed", "style", "poster"} & set(text.replace(",", "").split())


def test_nobody_is_there_twice(demo):
    said = [p.read_text(encoding="utf-8") for p in sorted(demo.glob("*.txt"))]
    assert len(set(said)) == PICTURES
