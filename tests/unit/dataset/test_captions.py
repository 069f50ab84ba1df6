"""Captions and the trigger word."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lora_train.dataset.captions import caption_dataset, has_word
from lora_train.dataset.manifest import Dataset, Entry
from lora_train.dataset.photo import Photo
from lora_train.errors import BadInputError


def dataset(*captions: str | None) -> Dataset:
    plain = Photo(Path("/p/a.jpg"), "s", 512, 512, "JPEG")
    return Dataset(Path("/p"), tuple(Entry(dataclasses.replace(plain, caption=c)) for c in captions))


def captions(*given: str | None, **options: str) -> list[str]:
    return [e.caption for e in caption_dataset(dataset(*given), **{"trigger": "ohwx", **options}).entries]


def test_template_for_photos_without_a_caption() -> None:
    assert captions(None) == ["photo of ohwx person"]
    assert captions(None, class_word="woman", template="{trigger}, a {class_word}") == ["ohwx, a woman"]
    assert captions(None, class_word="") == ["photo of ohwx"]


def test_own_captions_are_kept_and_begin_like_a_prompt() -> None:
    given = ("on a beach", "photo of OHWX woman", "ohwxy on a beach", "a-ohwx")
    head = "photo of ohwx person, "
    assert captions(*given) == [head + given[0], given[1], head + given[2], head + given[3]]
    assert captions("on a beach", template="{trigger}", class_word="") == ["ohwx, on a beach"]


def test_captioning_twice_changes_nothing() -> None:
    once = caption_dataset(dataset(None, "on a beach"), "ohwx")
    assert caption_dataset(once, "ohwx") == once


def test_dataset_remembers_trigger_and_class_word() -> None:
    done = caption_dataset(dataset(None), " ohwx ", "  big   dog ")
    assert (done.trigger, done.class_word) == ("ohwx", "big dog")


@pytest.mark.parametrize("trigger", ["", "   ", "two words", "a,b", "(x:1.2)", "x" * 33, "--", "a\nb"])
def test_impossible_triggers(trigger: str) -> None:
    with pytest.raises(BadInputError, match="trigger word"):
        caption_dataset(dataset(None), trigger)


def test_everything_wrong_at_once() -> None:
    with pytest.raises(BadInputError) as caught:
        caption_dataset(dataset(None), "", "wo(man)", "photo of {name}")
    assert all(t in str(caught.value) for t in ("empty", "brackets", "no field '{name}'", "needs {trigger}"))


def test_template_with_an_open_brace() -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        caption_dataset(dataset(None), "ohwx", template="photo of {trigger")


def test_words_are_whole_words() -> None:
    assert has_word("A photo of Ohwx, smiling", "ohwx")
    assert not has_word("ohwx-like", "ohwx")
