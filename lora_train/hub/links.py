"""What a pasted link means. Pure text: nothing is asked of any server.

Understood are Civitai model pages, version pages, download addresses and AIR names
(``urn:air:ecosystem:type:civitai:model@version+file``, developer.civitai.com/site/guide/air), and
Hugging Face pages, file addresses and the bare ``owner/repository[@revision][/file]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from ..errors import BadInputError
from ..say import say

CIVITAI_SITES = ("civitai.com", "civitai.red", "civitai.green")
HUGGING_FACE_SITES = ("huggingface.co", "hf.co")
MAX_LINK_LETTERS = 2000

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(rf"({_NAME})/({_NAME})(?:@([^/\s]+))?(?:/(.+))?")
_AIR = re.compile(r"(?:urn:)?(?:air:)?(?:[\w.-]*:){0,2}(civitai|huggingface):(\S+)", re.IGNORECASE)
_ID = "[0-9]{1,12}"
_AIR_CIVITAI = re.compile(rf"({_ID})(?:@({_ID}))?(?:\+({_ID}))?(?:\.[a-z]+)?", re.IGNORECASE)
_BARE_CIVITAI = re.compile(rf"({_ID})@({_ID})")
_TAKEN = {"datasets", "spaces", "models", "api", "docs", "collections", "papers", "blog", "settings", "login"}


@dataclass(frozen=True)
class CivitaiLink:
    """A model, a version of it, or both; ``file_id`` picks one of a version's files."""

    site: str = CIVITAI_SITES[0]
    model_id: int | None = None
    version_id: int | None = None
    file_id: int | None = None

    def __str__(self) -> str:
        """The shortest text that means the same: never with a key in it."""
        if self.model_id is None:
            return f"{self.site}/model-versions/{self.version_id}"
        version = f"?modelVersionId={self.version_id}" if self.version_id else ""
        file = f"{'&' if version else '?'}fileId={self.file_id}" if self.file_id else ""
        return f"{self.site}/models/{self.model_id}{version}{file}"


@dataclass(frozen=True)
class HuggingFaceLink:
    """A repository at a revision; ``path`` is empty when the link names no file."""

    repository: str
    revision: str = "main"
    path: str = ""

    def __str__(self) -> str:
        """The shortest text that means the same: never with a key in it."""
        place = f"/blob/{self.revision}/{quote(self.path)}" if self.path else ""
        tree = f"/tree/{self.revision}" if self.revision != "main" and not place else ""
        return f"{HUGGING_FACE_SITES[0]}/{self.repository}{place or tree}"


Link = CivitaiLink | HuggingFaceLink


def parse_link(text: str) -> Link:
    """What ``text`` points at. A key in it (``token=…``) is dropped.

    Raises:
        BadInputError: it is none of the forms that are understood, or of a site that is not fetched from.
    """
    clean = text.strip().strip("<>\"'").strip()
    if not clean:
        raise BadInputError(say("hub.no_link", forms=_forms()))
    if len(clean) > MAX_LINK_LETTERS or re.search(r"[\x00-\x20\x7f\\]", clean):
        raise BadInputError(say("hub.odd_link", most=MAX_LINK_LETTERS, seen=len(clean), forms=_forms()))
    if clean.lower().startswith(("urn:", "air:")) or _AIR.fullmatch(clean):
        return _air(clean)
    if bare := _BARE_CIVITAI.fullmatch(clean):
        return CivitaiLink(model_id=int(bare[1]), version_id=int(bare[2]))
    return _address(clean)


def _air(text: str) -> Link:
    found = _AIR.fullmatch(text)
    if found and found[1].lower() == "civitai" and (ids := _AIR_CIVITAI.fullmatch(found[2])):
        model, version, file = (int(n) if n else None for n in ids.groups())
        return CivitaiLink(model_id=model, version_id=version, file_id=file)
    if found and found[1].lower() == "huggingface" and (parts := _REPOSITORY.fullmatch(found[2])):
        return _hugging_face(f"{parts[1]}/{parts[2]}", parts[3] or "main", parts[4] or "")
    raise BadInputError(say("hub.air_source", name=_shown(text)))


def _address(text: str) -> Link:
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() not in ("https", "http"):
        raise BadInputError(say("hub.scheme", scheme=_shown(scheme), forms=_forms()))
    try:
        split = urlsplit(text if separator else f"https://{text}")
        host, port = (split.hostname or "").removesuffix("."), split.port
    except ValueError as error:
        raise BadInputError(say("hub.is_no_link", text=_shown(text), forms=_forms())) from error
    host = host.removeprefix("www.")
    if host in (*CIVITAI_SITES, *HUGGING_FACE_SITES) and (split.username is not None or port not in (None, 443, 80)):
        raise BadInputError(say("hub.names_user", text=_shown(text), host=host))
    if host in CIVITAI_SITES:
        return _civitai(split, host, text)
    if host in HUGGING_FACE_SITES:
        return _hugging_face_page(split, text)
    if not separator and (parts := _REPOSITORY.fullmatch(text.split("?")[0])) and not _is_site(parts):
        return _hugging_face(f"{parts[1]}/{parts[2]}", parts[3] or "main", parts[4] or "")
    raise BadInputError(
        say(
            "hub.other_site",
            text=_shown(text),
            civitai=[*CIVITAI_SITES],
            huggingface=[*HUGGING_FACE_SITES],
            forms=_forms(),
        )
    )


def _is_site(parts: re.Match[str]) -> bool:
    """True for ``example.com/models/5``: names of people hold no dot on Hugging Face."""
    return "." in parts[1] or parts[1].lower() in _TAKEN


def _civitai(split: SplitResult, site: str, text: str) -> CivitaiLink:
    parts = [part for part in split.path.split("/") if part]
    if parts[:2] == ["api", "v1"]:
        parts = parts[2:]
    query = parse_qs(split.query)
    version = _number(query, "modelVersionId")
    match parts:
        case ["models", model, *_] if re.fullmatch(_ID, model):
            return CivitaiLink(site, int(model), version, _number(query, "fileId"))
        case ["model-versions", wanted, *_] if re.fullmatch(_ID, wanted):
            return CivitaiLink(site, None, int(wanted))
        case ["api", "download", "models", wanted, *_] if re.fullmatch(_ID, wanted):
            return CivitaiLink(site, None, int(wanted))
    raise BadInputError(say("hub.no_model_page", text=_shown(text), site=site))


def _number(query: dict[str, list[str]], name: str) -> int | None:
    value = query.get(name, [""])[0]
    return int(value) if re.fullmatch(_ID, value) else None


def _hugging_face_page(split: SplitResult, text: str) -> HuggingFaceLink:
    parts = [unquote(part) for part in split.path.split("/") if part]
    if parts and parts[0] in ("datasets", "spaces"):
        raise BadInputError(say("hub.other_part", text=_shown(text), part=parts[0]))
    if parts[:1] == ["models"]:
        parts = parts[1:]
    if parts[:2] == ["api", "models"]:
        parts = parts[2:]
    if len(parts) < 2 or parts[0] in _TAKEN:
        raise BadInputError(say("hub.no_repository", text=_shown(text)))
    repository, rest = "/".join(parts[:2]), parts[2:]
    if rest and rest[0] in ("blob", "resolve", "raw", "tree") and len(rest) > 1:
        # Pull requests are revisions with slashes in their names.
        size = 3 if rest[1] == "refs" and len(rest) > 3 else 1
        revision, path = "/".join(rest[1 : 1 + size]), "/".join(rest[1 + size :])
        return _hugging_face(repository, revision, path if rest[0] != "tree" else "")
    return _hugging_face(repository, "main", "")


def _hugging_face(repository: str, revision: str, path: str) -> HuggingFaceLink:
    problems: list[str] = []
    if not re.fullmatch(rf"{_NAME}/{_NAME}", repository) or ".." in repository:
        problems.append(say("hub.repository_name", name=_shown(repository)))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,150}", revision) or ".." in revision:
        problems.append(say("hub.revision_name", name=_shown(revision)))
    if path and (any(p in ("", ".", "..") for p in path.split("/")) or re.search(r"[\x00-\x1f\x7f\\]", path)):
        problems.append(say("hub.repository_file", path=_shown(path)))
    BadInputError.collect(problems)
    return HuggingFaceLink(repository, revision, path)


def _shown(text: str) -> str:
    """A link for an error message: without its query, where keys are, and short."""
    plain = re.sub(r"[\x00-\x1f\x7f]", "", text.split("?")[0].split("#")[0])
    return re.sub(r"//[^/@]*@", "//", plain)[:120]


def _forms() -> str:
    """The links that are understood, for a sentence."""
    return say("hub.forms")
