"""Messages of the core: every key in every language, none unused, none missing, every call with its values."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from functools import cache

import pytest
from harness.comfyui import PACK

from lora_train.say import LANGUAGES
from lora_train.say.grammar import PLURALS

WORDS = PACK / "lora_train" / "words"
AREAS = sorted({path.name.split(".")[0] for path in WORDS.glob("*.json")})
KEY = re.compile(rf"({'|'.join(AREAS)})\.[a-z0-9_]*[a-z0-9]")
NO_KEYS = ("json", "jsonl", "py", "md", "html", "safetensors", "csv", "txt", "toml")
"""What follows the point in names of files."""


@cache
def table(area: str, language: str) -> dict[str, str]:
    return json.loads((WORDS / f"{area}.{language}.json").read_text(encoding="utf-8"))


def messages(language: str) -> dict[str, str]:
    return {f"{area}.{name}": text for area in AREAS for name, text in table(area, language).items()}


def blanks(text: str) -> list[tuple[str, str]]:
    return [(name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name is not None]


@cache
def trees() -> tuple[tuple[str, ast.AST], ...]:
    paths = [p for part in ("lora_train", "nodes") for p in sorted((PACK / part).rglob("*.py"))]
    return tuple((p.relative_to(PACK).as_posix(), ast.parse(p.read_text(encoding="utf-8"))) for p in paths)


def literals() -> Iterator[tuple[str, str]]:
    """Every text in the code that looks like a key, with its file."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
                yield path, node.value


def families() -> set[str]:
    """Beginnings of keys that are put together: ``f"audit.title_{code}"``."""
    heads = (n.values[0] for _, t in trees() for n in ast.walk(t) if isinstance(n, ast.JoinedStr) and n.values)
    texts = {h.value for h in heads if isinstance(h, ast.Constant) and isinstance(h.value, str)}
    return {text for text in texts if re.fullmatch(rf"({'|'.join(AREAS)})\.[a-z0-9_]*", text)}


@pytest.mark.parametrize("area", AREAS)
def test_every_language_has_every_message_with_the_same_blanks(area: str) -> None:
    english = table(area, "en")
    for language in LANGUAGES:
        own = table(area, language)
        assert list(own) == list(english), language
        for key, text in own.items():
            assert text.strip() and text == text.strip(), f"{language}: {key}"
            assert {n for n, _ in blanks(text)} == {n for n, _ in blanks(english[key])}, f"{language}: {key}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_has_the_forms_of_its_language(language: str) -> None:
    for key, text in messages(language).items():
        for name, form in blanks(text):
            if form.startswith("|"):
                assert form.count("|") == PLURALS[language][0], f"{language}: {key}: {name}"


def test_no_message_is_missing() -> None:
    known = messages("en")
    asked = {(path, key) for path, key in literals() if key.rpartition(".")[2] not in NO_KEYS}
    assert {(path, key) for path, key in asked if key not in known} == set()
    assert {head for head in families() if not any(key.startswith(head) for key in known)} == set()


def test_no_message_is_unused() -> None:
    used, heads = {key for _, key in literals()}, tuple(families())
    assert [key for key in messages("en") if key not in used and not key.startswith(heads)] == []


def test_every_call_gives_the_values_that_its_message_needs() -> None:
    known = messages("en")
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                first = node.args[0]
                if isinstance(first, ast.Constant) and all(word.arg for word in node.keywords):
                    given = {word.arg for word in node.keywords}
                    assert given == {n for n, _ in blanks(known[first.value])}, f"{path}:{node.lineno}"


def test_there_is_no_other_file() -> None:
    assert {path.name for path in WORDS.glob("*")} == {f"{a}.{x}.json" for a in AREAS for x in LANGUAGES}
