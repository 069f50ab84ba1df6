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


def table(area: str, language: str) -> dict[str, str]:
    return json.loads((WORDS / f"{area}.{language}.json").read_text(encoding="utf-8"))


def sources(area: str) -> str:
    """All code of an area: ``web/js/<area>*``."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((PACK / "web" / "js").glob(f"{area}*.*js")))


def blanks(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("area", AREAS)
def test_every_language_says_everything(area: str) -> None:
    english = table(area, "en")
    for language in LANGUAGES:
        own = table(area, language)
        assert set(own) == set(english), language
        for key, text in own.items():
            assert text.strip(), f"{language}: {key}"
            assert blanks(text) == blanks(english[key]), f"{language}: {key}"


@pytest.mark.parametrize("area", AREAS)
def test_no_word_is_missing_or_unused(area: str) -> None:
    code, known = sources(area), set(table(area, "en"))
    asked = set(re.findall(r'words\("(\w+)"', code))
    families = set(re.findall(r"words\(`(\w+_)\$\{", code))
    assert asked <= known, asked - known
    of_family = {key for key in known if key.startswith(tuple(families))} if families else set()
    quoted = {key for key in known if f'"{key}"' in code}
    assert known - asked - of_family - quoted == set()


def test_languages_have_no_area_of_their_own() -> None:
    assert {path.name for path in WORDS.glob("*")} == {f"{a}.{x}.json" for a in AREAS for x in LANGUAGES}
    assert Path(WORDS).is_dir() and AREAS
