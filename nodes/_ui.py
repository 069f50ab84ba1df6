"""A report as the payload that the graph editor shows: words and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from comfy_api.latest import ui

from . import _host as host

if TYPE_CHECKING:
    from PIL.Image import Image

Tone = Literal["good", "warn", "bad", "info"]


@dataclass(frozen=True)
class Report:
    """What a node found. ``str()`` is the text, so that core's "Preview as Text" can show it."""

    title: str
    """The verdict, in a few words."""
    text: str
    """Everything else, one finding a line."""
    tone: Tone = "info"
    details: Mapping[str, Any] = field(default_factory=dict)
    """The same findings as JSON-ready data."""

    def __str__(self) -> str:
        return f"{self.title}\n{self.text}" if self.text else self.title


def show(report: Report, pictures: Sequence[Image] = ()) -> dict[str, list[Any]]:
    """The ``ui`` value of a node: the report for our widget, pictures for ComfyUI's own preview."""
    payload: dict[str, list[Any]] = {"lorasmith": [{"title": report.title, "text": report.text, "tone": report.tone}]}
    shown = [ui.PreviewImage(host.image_batch([picture])).as_dict()["images"] for picture in pictures]
    if shown:
        payload["images"] = [image for images in shown for image in images]
    return payload
