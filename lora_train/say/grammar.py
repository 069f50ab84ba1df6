"""How a language fills a blank: numbers, counted words, lists, and the case of a first letter.

Beside Python's own formats a blank knows four: ``{n:|photo|photos}`` is the word that fits the number n (in
Russian three forms: 1, 2 and 5), ``{text:Capital}`` and ``{text:low}`` set the first letter, ``{names:or}``,
``{names:and}``, ``{names:;}``, ``{names:rows}`` and ``{names:lines}`` join a list (without a format: with commas).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_SPACE = "\N{NO-BREAK SPACE}"

COMMA = {"en": ", ", "ru": ", ", "zh": "、"}
_JOINS: Mapping[str, Mapping[str, str]] = {
    "and": {"en": " and ", "ru": " и ", "zh": "和"},
    "or": {"en": " or ", "ru": " или ", "zh": "或"},
    ";": {"en": "; ", "ru": "; ", "zh": "；"},
}


def _english(n: float) -> int:
    return 0 if n == 1 else 1


def _russian(n: float) -> int:
    """CLDR's one, few and many; a fraction takes the word of "few": 1,5 шага."""
    if n != int(n):
        return 1
    last, two = int(abs(n)) % 10, int(abs(n)) % 100
    if last == 1 and two != 11:
        return 0
    return 1 if last in (2, 3, 4) and two not in (12, 13, 14) else 2


PLURALS: Mapping[str, tuple[int, Callable[[float], int]]] = {"en": (2, _english), "ru": (3, _russian)}
"""Number of forms and which of them is meant. Chinese has one, so its texts need no choice."""


def fill(value: Any, form: str, language: str) -> str:
    """``value`` as a blank with the format ``form`` shows it."""
    if isinstance(value, str):
        return _cased(value, form) if form else value
    if isinstance(value, list | tuple):
        return joined(list(map(str, value)), form, language)
    if form[:1] == "|":
        return form[1:].split("|")[PLURALS[language][1](value)]
    text = format(value, form)
    return _in_russian(text) if language == "ru" and form.endswith(("f", "%", ",")) else text


def _cased(text: str, form: str) -> str:
    if form == "Capital":
        return text[:1].upper() + text[1:]
    return text[:1].lower() + text[1:] if form == "low" else text


def joined(items: list[str], form: str, language: str) -> str:
    """A list as text: "a, b and c" for the form "and"."""
    if form == "rows":
        return "\n".join(items)
    if form == "lines":
        return "\n".join(f"- {item}" for item in items)
    comma = COMMA[language]
    if form == ";":
        return _JOINS[form][language].join(items)
    if form and len(items) > 1:
        return comma.join(items[:-1]) + _JOINS[form][language] + items[-1]
    return comma.join(items)


def _in_russian(number: str) -> str:
    """1,234.5 -> 1 234,5 and 35% -> 35 %. Settings, which are typed in again, are formatted with "g"."""
    return number.translate({ord(","): _SPACE, ord("."): ",", ord("%"): f"{_SPACE}%"})
