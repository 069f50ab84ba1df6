"""Messages: keys with values, worded in the reader's language."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lora_train.config import Format, encode
from lora_train.errors import BadInputError
from lora_train.say import Said, heard, known, language, say, speaking, use_language, written
from lora_train.say.grammar import fill


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    with speaking(language()):
        yield


@pytest.mark.parametrize(
    ("name", "code"),
    [("ru_RU.UTF-8", "ru"), ("zh-TW", "zh"), ("en", "en"), ("C", None), ("", None), ("de_DE", None), ("RU", "ru")],
)
def test_locales_stand_for_languages(name: str, code: str | None) -> None:
    assert known(name) == code


def test_the_environment_is_asked_in_the_order_of_locales(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LORASMITH_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    use_language(None)
    assert language() == "en"
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    use_language(None)
    assert language() == "ru"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    use_language(None)
    assert language() == "zh"
    monkeypatch.setenv("LORASMITH_LANGUAGE", "en")
    use_language(None)
    assert language() == "en"


@pytest.mark.parametrize(
    ("n", "word"),
    [(1, "шаг"), (2, "шага"), (5, "шагов"), (11, "шагов"), (14, "шагов"), (21, "шаг"), (22, "шага"), (100, "шагов"),
     (111, "шагов"), (0, "шагов"), (1.5, "шага")],
)  # fmt: skip
def test_russian_counts_in_three_forms(n: float, word: str) -> None:
    assert fill(n, "|шаг|шага|шагов", "ru") == word


def test_numbers_are_written_as_the_language_does() -> None:
    assert (fill(0.355, ".1%", "en"), fill(0.355, ".1%", "ru")) == ("35.5%", "35,5\N{NO-BREAK SPACE}%")
    assert (fill(12345, ",", "en"), fill(12345, ",", "ru")) == ("12,345", "12\N{NO-BREAK SPACE}345")
    assert fill(0.0001, "g", "ru") == "0.0001"  # a setting, to be typed again


def test_lists_are_joined_as_the_language_does() -> None:
    names = ["a", "b", "c"]
    assert [fill(names, "or", code) for code in ("en", "ru", "zh")] == ["a, b or c", "a, b или c", "a、b或c"]
    assert [fill(names, "", code) for code in ("en", "ru", "zh")] == ["a, b, c", "a, b, c", "a、b、c"]
    assert fill(["a"], "and", "en") == "a" and fill([], "", "en") == ""


def test_an_error_keeps_its_message() -> None:
    with pytest.raises(BadInputError) as found:
        BadInputError.collect(["first", "second"])
    said = str(found.value)
    assert isinstance(said, Said) and said == "- first\n- second"
    assert (said.key, said.values) == ("errors.several", {"problems": ["first", "second"]})


def test_copies_keep_key_and_values() -> None:
    said = say("errors.several", problems=["a", "b"])
    for copied in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):  # noqa: S301
        assert isinstance(copied, Said) and copied == said and copied.key == said.key and copied.values == said.values


def test_a_message_that_nobody_knows_is_shown_as_it_is() -> None:
    said = heard({"key": "audit.of_a_later_version", "values": {"value": 3}})
    assert said == "audit.of_a_later_version (value: 3)"
    assert written(said) == {"key": "audit.of_a_later_version", "values": {"value": 3}}
    assert heard({"key": "errors.several", "values": {}}) == "errors.several ()"


@dataclass(frozen=True)
class Letter:
    text: str
    more: tuple[str, ...] = ()


def test_old_files_with_plain_texts_still_read() -> None:
    form = Format("test.letter", 1)
    assert form.unpack(Letter, {"text": "as it was", "more": ["written"]}) == Letter("as it was", ("written",))


def test_what_is_no_message_is_refused_where_a_text_belongs() -> None:
    with pytest.raises(BadInputError, match="text must be a text"):
        Format("test.letter", 1).unpack(Letter, {"text": {"key": 3, "values": {}}})


def test_files_hold_no_words() -> None:
    letter = Letter(say("errors.several", problems=[say("errors.several", problems=["x", "y"])]))
    inner = {"key": "errors.several", "values": {"problems": ["x", "y"]}}
    assert encode(letter) == {"text": {"key": "errors.several", "values": {"problems": [inner]}}, "more": []}


def test_values_become_what_json_knows() -> None:
    inner = BadInputError(say("errors.several", problems=["x"]))
    said = say("errors.several", problems=(np.float32(0.5), Path("a"), inner))
    assert said.values == {"problems": [0.5, str(Path("a")), "- x"]}
    assert isinstance(said.values["problems"][2], Said), "the reason of an error stays a message"
