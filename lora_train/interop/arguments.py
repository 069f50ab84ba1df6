"""Command lines of sd-scripts, as people paste them from guides and logs."""

from __future__ import annotations

import shlex
from typing import Any

from ..errors import BadInputError
from ..say import say


def parse_arguments(text: str) -> tuple[str, dict[str, Any]]:
    """``(script, settings)`` of a command line; a switch without a value is True, several values are a list.

    Line continuations of shells (``\\``, ``^``, a backtick) may be there. The script is empty when none is named.

    Raises:
        BadInputError: quotes do not close, or there is no ``--setting`` in it.
    """
    joined = text.replace("\\\n", " ").replace("^\n", " ").replace("`\n", " ")
    try:
        words = shlex.split(joined.replace("\\", "\\\\"), comments=True)
    except ValueError as error:
        raise BadInputError(say("cli.line_unreadable", why=error)) from error
    script = next((word for word in words if word.endswith("train_network.py")), "")
    found: dict[str, list[str]] = {}
    name = ""
    for word in words[words.index(script) + 1 if script else 0 :]:
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
            found[name] = [value] if given else []
        elif name:
            found[name].append(word)
    if not found:
        raise BadInputError(say("cli.no_settings"))
    return script, {name: _value(values) for name, values in found.items()}


def _value(values: list[str]) -> Any:
    if not values:
        return True
    return values[0] if len(values) == 1 else values
