"""Words of the web part: every key in every language, none unused, none missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness.comfyui import PACK

WORDS = PACK / "web" / "words"
LANGUAGES = ("en", "ru", "zh")
AREAS = sorted({path.name.split(".")[0] for path in WORDS.glob("*.json")})


FORMS = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}, "zh": {"other"}}
"""The plural forms of CLDR for whole numbers and fractions."""


def table(area: str, language: str) -> dict[str, str | dict[str, str]]:
    return json.loads((WORDS / f"{area}.{language}.json").read_text(encoding="utf-8"))


def sources(area: str) -> str:
    """All code of an area: ``web/js/<area>*``; of the empty one what belongs to no area."""
    paths = sorted((PACK / "web" / "js").glob(f"{area}*.*js"))
    chosen = [p for p in paths if area or not p.name.startswith(tuple(AREAS))]
    return "\n".join(path.read_text(encoding="utf-8") for path in chosen)


def blanks(word: str | dict[str, str]) -> set[str]:
    """What a word asks for; all its forms together, with the number that chooses between them."""
    if isinstance(word, dict):
        return {word["by"]}.union(*(blanks(text) for form, text in word.items() if form != "by"))
    return set(re.findall(r"\{(\w+)\}", word))


@pytest.mark.parametrize("area", AREAS)
def test_every_language_says_everything(area: str) -> None:
    english = table(area, "en")
    for language in LANGUAGES:
        own = table(area, language)
        assert set(own) == set(english), language
        for key, word in own.items():
            texts = [word] if isinstance(word, str) else [t for form, t in word.items() if form != "by"]
            assert all(text.strip() for text in texts), f"{language}: {key}"
            assert blanks(word) == blanks(english[key]), f"{language}: {key}"
            if isinstance(word, dict):
                assert set(word) - {"by"} == FORMS[language], f"{language}: {key}"


@pytest.mark.parametrize("area", AREAS)
def test_no_word_is_missing_or_unused(area: str) -> None:
    code, known = sources(area), set(table(area, "en"))
    assert f'loadWords("{area}")' in code
    asked = set(re.findall(r'words\("(\w+)"', code))
    families = set(re.findall(r"`(\w+_)\$\{", code))
    assert asked <= known, asked - known
    of_family = {key for key in known if key.startswith(tuple(families))} if families else set()
    quoted = {key for key in known if f'"{key}"' in code}
    assert known - asked - of_family - quoted == set()


def test_languages_have_no_area_of_their_own() -> None:
    assert {path.name for path in WORDS.glob("*")} == {f"{a}.{x}.json" for a in AREAS for x in LANGUAGES}
    assert Path(WORDS).is_dir() and AREAS


KEYS = {
    "None",
    "Esc",
    "Escape",
    "Enter",
    "Tab",
    "Home",
    "End",
    "Delete",
    "Backspace",
    "Space",
    "Shift",
    "Control",
    "PageUp",
    "PageDown",
}
"""Keys of the keyboard and ComfyUI's own value: they start with a capital letter and are no words of ours."""


def literals(code: str) -> list[str]:
    """The texts between quotes, without comments and without what is computed inside of templates."""
    code = re.sub(r"^\s*//.*$|\s//\s.*$", "", code, flags=re.MULTILINE)
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', code)
    return [re.sub(r"\$\{[^}]*\}", "", plain or template) for plain, template in found]


def reads_like_english(text: str) -> bool:
    """A sentence, a title, or three plain words in a row."""
    title = re.match(r"[A-Z][a-z]+(?:[ …:!?]|$)", text) and text not in KEYS and not text.startswith(("Arrow", "Ctrl"))
    return bool(title) or bool(re.search(r"(?<![\w.#-])[a-z]+ [a-z]+ [a-z]+(?![\w-])", text))


@pytest.mark.parametrize("area", [*AREAS, ""])
def test_no_english_is_left_in_the_code(area: str) -> None:
    assert [text for text in literals(sources(area)) if reads_like_english(text)] == []
