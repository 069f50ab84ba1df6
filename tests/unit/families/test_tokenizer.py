"""CLIP's token ids without any download."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lora_train.families.tokenizer import END_ID, START_ID, clip_vocabulary, token_ids

# "&" is left out: open_clip also decodes HTML entities, the tokenizer of SD 1.5 does not.
PRINTABLE = [chr(code) for code in range(32, 127) if chr(code) != "&"]


def test_known_ids() -> None:
    # Ids that OpenAI's CLIP gives to these words.
    ids = token_ids(["photo of ohwx person, wearing glasses"])[0].tolist()
    assert ids[:9] == [START_ID, 1125, 539, 47993, 2533, 267, 3309, 6116, END_ID]


def test_pads_with_the_end_token_and_cuts_off_at_77() -> None:
    ids = token_ids(["", "a b " * 60])
    assert ids.shape == (2, 77)
    assert ids[0].tolist() == [START_ID] + [END_ID] * 76
    assert ids[1, 0] == START_ID and ids[1, 75] != END_ID and ids[1, 76] == END_ID


def test_vocabulary_has_every_id_once() -> None:
    words, merges = clip_vocabulary()
    assert len(words) == 49408 == len(set(words))
    assert len(merges) == 48894
    assert words[START_ID] == "<|startoftext|>" and words[END_ID] == "<|endoftext|>"


@pytest.mark.parametrize("text", ["it's ONE café, don't!", "ЛОРА фото 東京 😀", "  spaces\t\nand 123 <x>  "])
def test_same_ids_as_open_clip(text: str) -> None:
    _compare(text)


@settings(max_examples=60, deadline=None)
@given(st.text(PRINTABLE, max_size=60))
def test_same_ids_as_open_clip_on_any_ascii(text: str) -> None:
    _compare(text)


def _compare(text: str) -> None:
    theirs = _open_clip()([text])[0].tolist()
    ours = token_ids([text])[0].tolist()
    end = theirs.index(END_ID)
    assert ours[: end + 1] == theirs[: end + 1]


@cache
def _open_clip() -> Any:
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer()
