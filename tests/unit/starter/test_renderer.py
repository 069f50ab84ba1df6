"""The renderer draws what the words say, reproducibly, at any size."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from lora_train.starter.renderer import render
from lora_train.starter.traits import BACKGROUND, EXPRESSION, HAIR_COLOR, near, random_identity, random_scene


def _pair(seed: int = 5):
    rng = Random(seed)
    return random_identity(rng), random_scene(rng)


def _difference(a, b) -> float:
    return float(np.abs(np.asarray(a, np.float32) - np.asarray(b, np.float32)).mean())


def test_same_input_same_pixels():
    who, scene = _pair()
    assert _difference(render(who, scene, (96, 96)), render(who, scene, (96, 96))) == 0


@pytest.mark.parametrize("size", [(96, 96), (128, 64), (64, 128), (300, 200)])
def test_any_size(size):
    who, scene = _pair()
    assert render(who, scene, size).size == size


def test_every_place_can_be_drawn_and_looks_different():
    who, scene = _pair()
    pictures = [render(who, replace(scene, background=b), (64, 64)) for b in BACKGROUND]
    for i, a in enumerate(pictures):
        assert all(_difference(a, b) > 3 for b in pictures[i + 1 :])


def test_every_expression_changes_the_face():
    who, scene = _pair()
    scene = replace(scene, shot="close-up portrait", glasses="none")
    pictures = [np.asarray(render(who, replace(scene, expression=e), (96, 96)), np.int16) for e in EXPRESSION]
    for i, a in enumerate(pictures):
        changed = [(np.abs(a - b).max(-1) > 20).sum() for b in pictures[i + 1 :]]
        assert all(pixels >= 12 for pixels in changed)


def test_hair_colour_is_in_the_picture():
    who, scene = _pair()
    who = replace(who, hair_style="bob")
    scene = replace(scene, background="studio", backdrop=(128, 128, 128), shot="close-up portrait")
    for name, rgb in HAIR_COLOR.items():
        pixels = np.asarray(render(replace(who, hair_color=name), scene, (96, 96)), np.float32)
        close = np.abs(pixels - np.array(rgb)).max(-1) < 12
        assert close.mean() > 0.03, name


def test_a_near_copy_is_nearer_than_another_scene():
    rng = Random(8)
    who, scene, other = random_identity(rng), random_scene(rng), random_scene(rng)
    here = render(who, scene, (96, 96))
    close, far = (_difference(here, render(who, s, (96, 96))) for s in (near(scene, rng), other))
    assert close < 0.25 * far


def test_people_are_counted_in_pixels():
    rng = Random(2)
    scene = replace(random_scene(rng), shot="half body", background="studio")
    one, two = (render([random_identity(Random(i)) for i in range(n)], scene, (96, 96)) for n in (1, 2))
    assert _difference(one, two) > 5


def test_words_name_what_is_there_and_not_what_is_absent():
    rng = Random(4)
    who = replace(random_identity(rng), hair_style="bald", mark="none", beard="none")
    assert "bald head" in who.phrases()
    assert not any(who.hair_color in w for w in who.phrases() if "hair" in w)
    scene = replace(random_scene(rng), glasses="none", lipstick=False)
    assert not any("glasses" in w or "lipstick" in w for w in scene.phrases())
