"""Decisions of the user: they travel as text, and find their photos again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora_train.dataset.overrides import Decision, Overrides, photo_id
from lora_train.dataset.photo import Photo
from lora_train.errors import BadInputError


def photo(name: str, content: str, size: tuple[int, int] = (400, 300)) -> Photo:
    return Photo(Path("photos") / name, content * 64, *size, format="JPEG")


def decision(name: str, content: str, **what: object) -> Decision:
    return Decision(name, photo_id(photo(name, content)), **what)  # type: ignore[arg-type]


def test_text_and_back_is_the_same() -> None:
    given = Overrides((decision("ü.jpg", "a", verdict="keep"), decision("b.jpg", "b", crop=(1, 2, 30, 40))))
    assert Overrides.from_text(given.to_text()) == given


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_no_decision(text: str) -> None:
    assert Overrides.from_text(text) == Overrides()
    assert Overrides().to_text() == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "'overrides' is not JSON"),
        ("[]", "expected a JSON object"),
        ('{"photos": [{"name": "a", "id": "b", "verdict": "maybe"}]}', "must be one of 'keep', 'reject'"),
        ('{"photos": [{"name": "a", "id": "b", "crop": [1, 2]}]}', "crop"),
        ('{"version": 9, "photos": []}', "newer Lorasmith"),
    ],
)
def test_broken_text_is_said_in_words(text: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        Overrides.from_text(text)


def test_decision_finds_its_photo_by_content_and_name() -> None:
    matched = Overrides((decision("a.jpg", "a", verdict="reject"),)).for_photos((photo("a.jpg", "a"),))
    assert matched.verdicts == {"a.jpg": "reject"}
    assert matched.waiting == ()


def test_decision_follows_a_renamed_photo() -> None:
    matched = Overrides((decision("a.jpg", "a", verdict="keep"),)).for_photos((photo("new.jpg", "a"),))
    assert matched.verdicts == {"new.jpg": "keep"}


def test_another_photo_of_the_same_name_is_left_alone() -> None:
    matched = Overrides((decision("a.jpg", "a", verdict="reject"),)).for_photos((photo("a.jpg", "b"),))
    assert matched.by_name == {}
    assert [d.name for d in matched.waiting] == ["a.jpg"]


def test_of_two_equal_files_only_the_one_that_was_meant() -> None:
    twins = (photo("a.jpg", "a"), photo("copy.jpg", "a"))
    assert Overrides((decision("copy.jpg", "a", verdict="reject"),)).for_photos(twins).verdicts == {
        "copy.jpg": "reject"
    }
    unclear = Overrides((decision("gone.jpg", "a", verdict="reject"),)).for_photos(twins)
    assert unclear.by_name == {} and len(unclear.waiting) == 1


def test_crops_by_name() -> None:
    given = Overrides((decision("a.jpg", "a", crop=(0, 0, 400, 300)),))
    assert given.for_photos((photo("a.jpg", "a"),)).crops == {"a.jpg": (0, 0, 400, 300)}
