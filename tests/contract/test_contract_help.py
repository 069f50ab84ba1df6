"""Help pages, guides and readmes: whole, in three languages, in step with the schemas; no ComfyUI is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from help_pages import DOCS, GOLDEN, LANGUAGES, PACK, filled, inputs_of, page_path, words_of

EVERY_PAGE = [(node_id, language) for node_id in GOLDEN for language in LANGUAGES]
TRANSLATED = [pair for pair in EVERY_PAGE if pair[1] != "en"]
PROSE = [*PACK.glob("README*.md"), *(PACK / "docs").glob("*.md"), PACK / "CONTRIBUTING.md", PACK / "CHANGELOG.md"]
MOST_PICTURE_BYTES = 150_000
_LINK = re.compile(r"(?P<picture>!?)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(path: Path) -> str:
    return _FENCE.sub("```", path.read_text(encoding="utf-8"))


def links_of(path: Path, pictures: bool) -> list[str]:
    return [found["target"] for found in _LINK.finditer(text_of(path)) if bool(found["picture"]) == pictures]


def shape_of(path: Path) -> list[str]:
    """What must not differ between languages: headings by level, rows of tables, list items, code, pictures."""
    marks = (r"(#+) ", r"(\|)", r"(-) ", r"(\d+\.) ", r"(```)", r"(!\[)")
    lines = text_of(path).splitlines()
    return [found[1] for line in lines if (found := next(filter(None, (re.match(m, line) for m in marks)), None))]


def headings_of(path: Path) -> list[str]:
    return [line.split(" ")[0] for line in text_of(path).splitlines() if re.match(r"#+ ", line)]


@pytest.mark.parametrize(("node_id", "language"), EVERY_PAGE)
def test_page_has_the_nodes_name_and_its_sections(node_id: str, language: str) -> None:
    lines = text_of(page_path(node_id, language)).splitlines()
    when, inputs, outputs, mistakes = LANGUAGES[language].sections
    wanted = [when, *([inputs] if inputs_of(node_id) else []), outputs, mistakes]
    assert lines[0] == f"# {words_of(node_id, language)['display_name']}"
    assert [line[3:] for line in lines if line.startswith("## ") and line[3:] in wanted] == wanted


@pytest.mark.parametrize(("node_id", "language"), EVERY_PAGE)
def test_page_has_a_row_for_every_input_and_output_as_the_editor_names_it(node_id: str, language: str) -> None:
    words = words_of(node_id, language)
    names = [item["name"] for item in (*words.get("inputs", {}).values(), *words["outputs"].values())]
    page = text_of(page_path(node_id, language))
    rows = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert [name for name in names if name not in rows] == []


@pytest.mark.parametrize(("node_id", "language"), EVERY_PAGE)
def test_page_tells_defaults_and_limits_as_the_schema_has_them(node_id: str, language: str) -> None:
    page = page_path(node_id, language).read_text(encoding="utf-8")
    assert page == filled(page, node_id, language), "run: python tests/help_pages.py"


@pytest.mark.parametrize(("node_id", "language"), TRANSLATED)
def test_translated_page_is_built_like_the_english_one(node_id: str, language: str) -> None:
    assert shape_of(page_path(node_id, language)) == shape_of(page_path(node_id, "en"))


@pytest.mark.parametrize(("node_id", "language"), TRANSLATED)
def test_translated_page_calls_nodes_by_their_translated_names(node_id: str, language: str) -> None:
    english = {words_of(other, "en")["display_name"] for other in GOLDEN}
    bold = set(re.findall(r"\*\*([^*]+)\*\*", text_of(page_path(node_id, language))))
    assert bold & english == set()


@pytest.mark.parametrize("path", DOCS.rglob("*.md"), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_help_page_resolves_where_the_editor_shows_it(path: Path) -> None:
    """The editor takes pictures from ``web/docs`` in every language; a link opens a page of its own."""
    assert [target for target in links_of(path, pictures=True) if not (DOCS / target).is_file()] == []
    assert [target for target in links_of(path, pictures=False) if not target.startswith("https://")] == []


@pytest.mark.parametrize("path", [*DOCS.rglob("*.md"), *PROSE], ids=lambda path: "/".join(path.parts[-2:]))
def test_tables_have_as_many_cells_in_every_row(path: Path) -> None:
    """A stray bar in a cell would move the rest of the row to the right."""
    wrong, cells = [], 0
    for line in text_of(path).splitlines():
        count = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        if count and cells and count != cells:
            wrong.append(line)
        cells = count
    assert wrong == []


def test_every_picture_of_the_help_is_used_and_small() -> None:
    used = {target for path in DOCS.rglob("*.md") for target in links_of(path, pictures=True)}
    there = {path.relative_to(DOCS).as_posix(): path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert set(there) == used
    assert {name: size for name, size in there.items() if size > MOST_PICTURE_BYTES} == {}


def test_no_help_page_but_those_of_the_nodes() -> None:
    assert set(DOCS.rglob("*.md")) == {page_path(*pair) for pair in EVERY_PAGE}


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_and_pictures_of_a_document_resolve(path: Path) -> None:
    targets = [target for pictures in (True, False) for target in links_of(path, pictures)]
    local = [target.split("#")[0] for target in targets if not re.match(r"https?://|#|mailto:", target)]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("language", ["ru", "zh"])
@pytest.mark.parametrize("english", ["README", "docs/guide", "docs/troubleshooting", "docs/formats", "docs/faq"])
def test_translated_document_has_the_same_headings_and_stays_in_its_language(english: str, language: str) -> None:
    original, path = PACK / f"{english}.md", PACK / f"{english}.{language}.md"
    assert headings_of(path) == headings_of(original)
    assert shape_of(path).count("|") == shape_of(original).count("|")
    to_english = [
        target
        for target in links_of(path, pictures=False)
        if (own := translated(path.parent / target, language)) and own.is_file() and own != path.parent / target
        and (path.parent / target).resolve() != original.resolve()
    ]  # fmt: skip
    assert to_english == []


def translated(target: Path, language: str) -> Path | None:
    """Where the translation of a page would be; None for what is no English page."""
    if target.suffix != ".md" or target.stem.endswith((".ru", ".zh")) or target.stem in ("ru", "zh"):
        return None
    if target.parent.resolve() == DOCS:
        return page_path(target.stem, language)
    return target.with_name(f"{target.stem}.{language}.md")
