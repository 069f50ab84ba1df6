"""The help pages as ComfyUI's editor finds them, and the part of a page that follows from a node's schema.

``python tests/help_pages.py`` writes that part (which values an input takes) into all pages anew.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACK = Path(__file__).parents[1]
DOCS = PACK / "web" / "docs"
GOLDEN: dict[str, Any] = json.loads((PACK / "tests/golden/node_schemas.json").read_text(encoding="utf-8"))
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
MOST_SHOWN = 6
"""Longer lists of choices are called a list."""
NO_LIMIT = 1_000_000
"""Upper limits beyond this are not told: nobody gets there."""
_ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<text>.+?)(?:<br>.*)? \|$")


@dataclass(frozen=True)
class Words:
    """What a page says in one language."""

    sections: tuple[str, str, str, str]
    """When, inputs, outputs, mistakes: the headings that every page has."""
    default: str
    empty: str
    listed: str
    on: str
    off: str
    optional: str
    advanced: str


LANGUAGES = {
    "en": Words(
        ("When to use it", "Inputs", "Outputs", "Common mistakes"),
        "*Default* {}", "empty", "{}, from a list", "on", "off", "*Optional*", "{}; *advanced*",
    ),
    "ru": Words(
        ("Когда нужен", "Входы", "Выходы", "Частые ошибки"),
        "*По умолчанию* {}", "пусто", "{}, из списка", "вкл.", "выкл.", "*Необязательно*", "{}; *дополнительно*",
    ),
    "zh": Words(
        ("何时使用", "输入", "输出", "常见错误"),
        "*默认* {}", "空", "{}，从列表选择", "开", "关", "*可选*", "{}；*高级*",
    ),
}  # fmt: skip


def page_path(node_id: str, language: str) -> Path:
    """Where the editor looks: ``docs/<node>/<locale>.md`` first, then ``docs/<node>.md``, which is the English one."""
    return DOCS / f"{node_id}.md" if language == "en" else DOCS / node_id / f"{language}.md"


def words_of(node_id: str, language: str) -> dict[str, Any]:
    """Display names of a node, its inputs and outputs, as the editor shows them in one language."""
    defs = json.loads((PACK / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    return defs[node_id]


def inputs_of(node_id: str) -> dict[str, tuple[Any, bool]]:
    """Each input's recorded schema, and whether it is optional."""
    groups = GOLDEN[node_id]["input"]
    return {name: (spec, group == "optional") for group in ("required", "optional")
            for name, spec in groups.get(group, {}).items()}  # fmt: skip


def value_line(spec: Any, optional: bool, language: str) -> str:
    """Default and limits of one input, as its row in the table says them below the text; empty where there are none."""
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    words = LANGUAGES[language]
    if options.get("widgetType"):
        return ""
    if kind not in WIDGETS or options.get("forceInput"):
        return words.optional if optional else ""
    value = _value(kind, options, words)
    line = words.default.format(value) if value else ""
    return words.advanced.format(line) if options.get("advanced") else line


def _value(kind: str, options: dict[str, Any], words: Words) -> str:
    default = options.get("default")
    if kind == "BOOLEAN":
        return words.on if default else words.off
    if kind == "STRING":
        return f"`{default}`" if default else words.empty
    if kind == "COMBO":
        return _choices(default, options["options"], words)
    low, high = options["min"], options["max"]
    return f"`{_said(default)}` ({_said(low)} … {_said(high)})" if high < NO_LIMIT else f"`{_said(default)}` (≥ {low})"


def _said(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _choices(default: Any, choices: list[str], words: Words) -> str:
    if default is None:
        return ""
    if not 1 < len(choices) <= MOST_SHOWN:
        return words.listed.format(f"`{default}`")
    others = " · ".join(f"`{choice}`" for choice in choices if choice != default)
    return f"`{default}` ({others})"


def filled(text: str, node_id: str, language: str) -> str:
    """The page with the values of its inputs as the schema has them now."""
    specs, lines, inside = inputs_of(node_id), text.splitlines(), False
    for index, line in enumerate(lines):
        if line.startswith("## "):
            inside = line == f"## {LANGUAGES[language].sections[1]}"
        row = _ROW.match(line) if inside else None
        if row and row["name"] in specs:
            value = value_line(*specs[row["name"]], language)
            lines[index] = f"| `{row['name']}` | {row['text']}{value and '<br>' + value} |"
    return "\n".join(lines) + "\n"


def write_all() -> None:
    for node_id in GOLDEN:
        for language in LANGUAGES:
            page = page_path(node_id, language)
            if page.is_file():
                page.write_text(filled(page.read_text(encoding="utf-8"), node_id, language), encoding="utf-8")


if __name__ == "__main__":
    write_all()
