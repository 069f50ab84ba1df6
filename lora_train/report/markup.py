"""The few pieces of HTML that the report is made of. Every text that comes in is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from ..say import language, say
from .paper import Mark

if TYPE_CHECKING:
    from PIL import Image

_SIGNS: dict[str, tuple[str, str]] = {
    "keep": ('<circle cx="12" cy="12" r="{r}"/>', "M7 12.6l3.4 3.4L17 8.6"),
    "warn": ('<polygon points="12,1.2 23.4,22 0.6,22"/>', "M12 9v5m0 3.6v.1"),
    "reject": ('<rect x="1.5" y="1.5" width="21" height="21" rx="3.5"/>', "M8 8l8 8m0-8l-8 8"),
    "none": ('<circle cx="12" cy="12" r="{r}"/>', "M7.5 12h9"),
}


def text(value: object) -> str:
    """Any text as HTML; characters that no browser may get (lone surrogates, NUL) are replaced."""
    clean = str(value).encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
    return escape(clean, quote=True)


def sign(mark: Mark | str) -> str:
    """The verdict as inline SVG: shape, colour and a name for screen readers."""
    shape, stroke = _SIGNS[mark]
    body = shape.format(r="10.8")
    name = f'role="img" aria-label="{text(say(f"report.mark_{mark}"))}"'
    return f'<svg class="sign" viewBox="0 0 24 24" {name}>{body}<path d="{stroke}"/></svg>'


def data_uri(picture: Image.Image, *, lossless: bool = False, quality: int = 86) -> str:
    """The picture inside the page: JPEG, or PNG for drawings."""
    out = io.BytesIO()
    if lossless:
        picture.convert("RGB").quantize(64).save(out, "PNG", optimize=True)
    else:
        picture.convert("RGB").save(out, "JPEG", quality=quality, subsampling=0)
    kind = "png" if lossless else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def img(picture: Image.Image, alt: str) -> str:
    """An embedded photo."""
    return f'<img src="{data_uri(picture)}" alt="{text(alt)}">'


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Numbers in boxes."""
    rows = "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in pairs)
    return f'<dl class="facts">{rows}</dl>'


def section(title: str, note: str, body: str) -> str:
    """A part of the page with its heading."""
    return f'<section><h2>{text(title)}</h2><p class="note">{text(note)}</p>{body}</section>'


def page(title: str, style: str, body: str) -> str:
    """The whole document; it refers to nothing outside itself."""
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{style}</style></head>\n<body>{body}</body></html>\n"
    )
