"""The language of this process: set by the host or the command line, else by the environment, else English."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

LANGUAGES = ("en", "ru", "zh")
VARIABLE = "LORASMITH_LANGUAGE"
"""Environment variable that names the language; the training process gets it from its parent."""

_ENVIRONMENT = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")
_current: str | None = None


def language() -> str:
    """One of :data:`LANGUAGES`."""
    global _current
    if _current is None:
        _current = next((code for name in _ENVIRONMENT if (code := known(os.environ.get(name, "")))), LANGUAGES[0])
    return _current


def use_language(code: str | None) -> None:
    """Speak ``code`` from now on ("ru", "zh-CN", "ru_RU.UTF-8"); None: what the environment says.

    A language that the pack does not speak is English.
    """
    global _current
    _current = None if code is None else known(code) or LANGUAGES[0]


def known(code: str) -> str | None:
    """The one of :data:`LANGUAGES` that a locale's name stands for, None for others: "zh_TW.UTF-8" is "zh"."""
    short = code.replace("_", "-").split("-")[0].split(".")[0].lower()
    return short if short in LANGUAGES else None


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Another language for a block."""
    global _current
    before = _current
    use_language(code)
    try:
        yield
    finally:
        _current = before
