"""Tags from measurements, edits, counts, and words that fuse with the trigger."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.edits import Edit, edit_captions, edited, parse_edits, tag_counts, words_in_every_caption
from lora_train.dataset.manifest import Crop, Dataset, Entry
from lora_train.dataset.photo import Photo
from lora_train.dataset.tags import load_words, measured_tags, tag_dataset, with_tags
from lora_train.errors import BadInputError


def entry(name: str = "a.jpg", caption: str | None = None, crop: str = "", **scores: float) -> Entry:
    photo = Photo(Path("/p") / name, "s", 512, 512, "JPEG", caption)
    cut = Crop((0, 0, 512, 512), (512, 512), crop) if crop else None  # type: ignore[arg-type]
    return Entry(photo, scores=scores, crop=cut, caption=caption or "")


def dataset(*entries: Entry) -> Dataset:
    return Dataset(Path("/p"), tuple(entries))


def test_what_was_measured_is_named_and_what_was_not_is_not_guessed() -> None:
    assert measured_tags(entry()) == ()
    seen = entry(crop="half", smile=0.9, yaw_abs_deg=30, p_outdoor=0.9, p_street=0.3)
    assert measured_tags(seen) == ("upper body", "three-quarter view", "smiling", "outdoors")


def test_one_thing_gets_one_word() -> None:
    tags = measured_tags(entry(crop="full", p_portrait=0.9, p_laughing=0.9, smile=0.9, p_neutral=0.8))
    assert tags == ("full body", "laughing")


def test_nothing_that_is_identity_is_in_the_table() -> None:
    words = " ".join(word.words for word in load_words().words)
    assert not any(trait in words.split() for trait in ("blonde", "brown", "beard", "glasses", "young", "woman", "man"))


def test_what_never_changes_is_no_tag() -> None:
    always = [entry(f"{i}.jpg", p_indoor=0.9, smile=0.9 if i else 0.1) for i in range(4)]
    assert [e.tags for e in tag_dataset(dataset(*always)).entries] == [(), ("smiling",), ("smiling",), ("smiling",)]
    assert tag_dataset(dataset(*always[:2])).entries[0].tags == ("indoors",)


def test_tags_go_after_the_trigger_and_own_captions_stay() -> None:
    data = dataset(entry("a.jpg", smile=0.9), entry("b.jpg", "ohwx in a car", smile=0.9))
    captions = [e.caption for e in caption_dataset(data, "ohwx", "woman", tags=True).entries]
    assert captions == ["photo of ohwx woman, smiling", "ohwx in a car"]
    assert caption_dataset(data, "ohwx", "woman").entries[0].caption == "photo of ohwx woman"


def test_tags_of_the_user_win() -> None:
    data = with_tags(dataset(entry("a.jpg", smile=0.9)), {"a.jpg": ("red hat",)})
    assert caption_dataset(data, "ohwx", tags=True).entries[0].caption == "photo of ohwx person, red hat"
    with pytest.raises(BadInputError, match=r"no photo 'x\.jpg'"):
        with_tags(data, {"x.jpg": ()})


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("a sofa, Sofa bed", Edit("sofa", "couch"), "a couch, couch bed"),
        ("sofas", Edit("sofa", "couch"), "sofas"),
        ("ohwx, blurry, smiling", Edit("blurry"), "ohwx, smiling"),
        ("a, b, c", Edit("b", "a"), "a, c"),
        ("x-ray", Edit("ray", "y"), "x-ray"),
        (r"a (b) \1", Edit("(b)", r"\g<0>"), r"a \g<0> \1"),
        ("one  thing , kept", Edit("zebra", "x"), "one  thing , kept"),
    ],
)
def test_find_and_replace(before: str, edit: Edit, after: str) -> None:
    assert edited(before, [edit]) == after


def test_edits_from_text() -> None:
    assert parse_edits(" sofa -> couch \n\nblurry ->\n") == (Edit("sofa", "couch"), Edit("blurry"))
    with pytest.raises(BadInputError) as caught:
        parse_edits("sofa\n-> couch\na -> b")
    assert "Line 1" in str(caught.value) and "Line 2" in str(caught.value) and "Line 3" not in str(caught.value)


def test_an_edit_never_takes_the_trigger_away() -> None:
    data = caption_dataset(dataset(entry(), entry("b.jpg")), "ohwx")
    with pytest.raises(BadInputError, match="trigger word 'ohwx' out of 2 captions"):
        edit_captions(data, [Edit("ohwx", "she")])
    assert edit_captions(data, [Edit("ohwx", "OHWX")]).entries[0].caption == "photo of OHWX person"


def test_tags_are_counted_once_a_photo() -> None:
    data = dataset(
        entry("a.jpg", "x, Smiling, smiling"), entry("b.jpg", "x"), dataclasses.replace(entry("c.jpg", "x"), keep=False)
    )
    assert tag_counts(data) == {"x": 2, "smiling": 1}


def test_words_in_every_caption_are_told() -> None:
    captions = ("in a red car", "a red house", "red shoes on the red floor")
    data = caption_dataset(dataset(*(entry(f"{i}.jpg", c) for i, c in enumerate(captions))), "ohwx", "woman")
    assert words_in_every_caption(data) == ("red",)
    (warning,) = data.warnings
    assert warning.code == "captions" and "'red' is in all 3 captions" in warning.text
    again = caption_dataset(data, "ohwx", "woman", edits=[Edit("red")])
    assert again.warnings == () and words_in_every_caption(again) == ()


def test_plain_captions_and_few_photos_give_no_warning() -> None:
    plain = dataset(*(entry(f"{i}.jpg") for i in range(5)))
    assert caption_dataset(plain, "ohwx", "woman").warnings == ()
    two = dataset(entry("a.jpg", "red"), entry("b.jpg", "red"))
    assert words_in_every_caption(caption_dataset(two, "ohwx")) == ()
