"""Prompt suites: what ships is complete, what users write is checked whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lora_train.errors import BadInputError
from lora_train.evaluation.prompts import LEVELS, PromptSuite, TestPrompt, find_suite, shipped_suites, suite_names


def suite(*prompts: TestPrompt) -> PromptSuite:
    return PromptSuite("mine", "Mine", "character", "en", prompts)


SMILE = TestPrompt("smile", "photo of {trigger} {class}, smiling", "smiling", "smiling")


def test_every_purpose_ships_in_both_languages_from_simple_to_hard() -> None:
    found = {(s.purpose, s.language): s for s in shipped_suites() if not s.id.startswith("starter")}
    assert set(found) == {(p, lang) for p in ("character", "style", "object") for lang in ("en", "ru")}
    for one in found.values():
        assert {p.level for p in one.prompts} == set(LEVELS)
        assert all("{trigger}" in p.text and "{class}" in p.text for p in one.prompts)
        levels = [LEVELS.index(p.level) for p in one.prompts]
        assert levels == sorted(levels)


@pytest.mark.parametrize("purpose", ["character", "style", "object"])
def test_the_languages_ask_for_the_same(purpose: str) -> None:
    english, russian = find_suite(f"{purpose}.en"), find_suite(f"{purpose}.ru")
    assert [(p.id, p.level, p.check) for p in english.prompts] == [(p.id, p.level, p.check) for p in russian.prompts]
    assert not any(p.text.replace("{trigger}", "").replace("{class}", "").isascii() for p in russian.prompts)


@pytest.mark.parametrize("name", ["starter.en", "starter_style.en"])
def test_the_starter_suites_speak_the_starters_words(name: str) -> None:
    from lora_train.evaluation.questions import asked_for, load_questions

    moment = [q for q in load_questions() if not q.identity]
    for prompt in find_suite(name).prompts:
        assert asked_for(prompt.text, moment), prompt.id


def test_filling_leaves_no_gaps() -> None:
    one = suite(SMILE, TestPrompt("oil", "{trigger} {class}, oil painting", "oil painting", "oil painting"))
    assert [p.text for p in one.filled("ohwx", "woman").prompts] == ["photo of ohwx woman, smiling",
                                                                     "ohwx woman, oil painting"]  # fmt: skip
    assert one.filled("", "woman").prompts[0].text == "photo of woman, smiling"
    assert one.filled("ohwx ", "").prompts[1].text == "ohwx, oil painting"
    with pytest.raises(BadInputError, match="trigger word or a class word"):
        one.filled(" ", "")


def test_a_part_of_a_suite_still_goes_from_simple_to_hard() -> None:
    whole = find_suite("character.en")
    assert [p.level for p in whole.first(3).prompts] == ["simple", "medium", "hard"]
    assert whole.first(1).prompts[0].level == "simple"
    assert whole.first(99) is whole
    assert {p.level for p in whole.upto("medium").prompts} == {"simple", "medium"}


def test_all_problems_of_a_suite_at_once() -> None:
    with pytest.raises(BadInputError) as error:
        suite(SMILE, SMILE, TestPrompt("a b", "{who} on a beach", "im Wald", "лес"), TestPrompt("x", " ", "", ""))
    text = str(error.value)
    for part in ("'smile' is used 2 times", "'a b': the id may hold", "'{who}' is no placeholder",
                 "'im Wald' must be a part", "found 'лес'", "prompt 'x': the text is empty"):  # fmt: skip
        assert part in text


def test_users_suites_come_from_their_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(suite(SMILE).to_json()), "utf-8")
    (tmp_path / "broken.json").write_text('{"kind": "lorasmith.prompts", "id": 3, "prompts": []}', "utf-8")
    assert suite_names(tmp_path)[-2:] == ["broken", "mine"]
    assert find_suite("mine", tmp_path) == suite(SMILE)
    with pytest.raises(BadInputError) as error:
        find_suite("broken", tmp_path)
    assert all(word in str(error.value) for word in ("id must be a text", "title is missing", "language is missing"))
    with pytest.raises(BadInputError, match="no prompt suite 'gone' and no 'gone.json'"):
        find_suite("gone", tmp_path)
    assert suite_names(tmp_path / "nowhere") == suite_names()


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(suite(SMILE).to_json()), "utf-8")
    (tmp_path / "own").mkdir()
    with pytest.raises(BadInputError, match="no prompt suite"):
        find_suite("../secret", tmp_path / "own")
