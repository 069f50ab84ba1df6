"""The page: complete, self-contained, escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from lora_train.dataset.manifest import Dataset, Reason, Warning_
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError
from lora_train.evaluation.axes import Axis
from lora_train.evaluation.diversity import DiversityReport
from lora_train.report.html import Samples, Story, report_html, write_report

EVIL = "<script>alert('x')</script>\"&'\udcff"


def diversity(text: str) -> DiversityReport:
    axes = (
        Axis("variety", "bad", 0.3, 0.2, 0.4, 0.5, True, text),
        Axis("identity", "watch", 0.6, 0.3, 0.8, 0.5, False, text),
        Axis("copying", "ok", 1.2, None, None, None, True, text),
        Axis("prompt", "not checked", None, None, None, None, False, text),
    )
    return DiversityReport("overfit", 4, 1.3, 0.9, (0.8, 1.0), 0.5, axes, None, (), (text,), (), ())


@pytest.fixture
def story(tmp_path: Path) -> Story:
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(2):
        Image.new("RGB", (60, 80), (90 * i, 90, 60)).save(photos / f"p&{i}.png")
    found = Dataset.of(scan(photos))
    bad = replace(found.entries[1], keep=False, reasons=(Reason("x", 1, 2, EVIL),))
    dataset = replace(found, entries=(found.entries[0], bad), warnings=(Warning_("w", EVIL),))
    pictures = [Image.new("RGB", (16, 16), (i * 60, 0, 0)) for i in range(4)]
    return Story(
        title=EVIL,
        lead=EVIL,
        facts=((EVIL, EVIL),),
        dataset=dataset,
        losses=[0.3, 0.2, 0.1],
        training=EVIL,
        samples=Samples([EVIL, EVIL, "b", "b"], [1, 2, 1, 2], pictures, pictures),
        diversity=diversity(EVIL),
        files=((EVIL, Path("a<b>c")),),
    )


class _Balance(HTMLParser):
    VOID = frozenset(["meta", "img", "source", "br"])

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_text_is_escaped_and_tags_balance(story: Story) -> None:
    html = report_html(story)
    parser = _Balance()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert "script" not in parser.seen
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 12


def test_nothing_is_loaded_from_outside(story: Story) -> None:
    html = report_html(story)
    links = re.findall(r'(?:src|srcset|href)="([^"]*)"', html)
    assert links and all(link.startswith("data:image/") for link in links)
    assert "url(" not in html and "@import" not in html


def test_all_pictures_have_words(story: Story) -> None:
    html = report_html(story)
    images = re.findall(r"<img [^>]*>", html)
    assert len(images) == 2 + 8 + 1  # photos, samples, chart
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def test_missing_parts_are_left_out() -> None:
    html = report_html(Story("Title", "Lead"))
    assert "<h1>Title</h1>" in html and "<h2>" not in html and "<footer" not in html


def test_written_whole_as_utf8(story: Story, tmp_path: Path) -> None:
    path = write_report(tmp_path / "out" / "report.html", replace(story, title="Пример 写真"))
    assert "Пример 写真" in path.read_text("utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInputError, match="Cannot write"):
        write_report(tmp_path / "file" / "report.html", story)
