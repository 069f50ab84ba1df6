"""Hugging Face: from a link to a record, through its public API.

``/api/models/{repository}/revision/{revision}?blobs=true`` lists the files with the SHA-256 of those in
large-file storage; ``/tree/…?expand=true`` adds what the malware scanners found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..errors import BadInputError
from ..say import say
from . import loose
from .keys import Key
from .links import HuggingFaceLink
from .policy import Policy
from .record import Choice, Record, Scan
from .web import AnswerError, ask_json

SITE = "https://huggingface.co"
USUAL_NAME = "pytorch_lora_weights.safetensors"
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_MAX_FILES_SHOWN = 60


class ChooseFileError(BadInputError):
    """The repository has several LoRA files and the link names none; ``choices`` are links to each."""

    def __init__(self, message: str, choices: tuple[Choice, ...]) -> None:
        super().__init__(message)
        self.choices = choices


def resolve(link: HuggingFaceLink, policy: Policy, key: Key | None) -> Record:
    """Ask Hugging Face what ``link`` is. The record is pinned to the commit that the revision is now.

    Raises:
        ChooseFileError: the repository has several ``.safetensors`` files and the link names none.
        BadInputError: no such file, or one that cannot be checked.
        HubError: Hugging Face cannot be reached or refuses.
    """
    repository = quote(link.repository)
    revision = quote(link.revision, safe="")
    about = loose.mapping(ask_json(policy, f"{SITE}/api/models/{repository}/revision/{revision}?blobs=true", key))
    commit = loose.text(about.get("sha"))
    if not commit.isalnum():
        raise BadInputError(say("hub.no_commit", name=link.repository))
    siblings = {loose.text(s.get("rfilename"), 500): s for s in loose.items(about.get("siblings"))}
    path = _chosen(link, list(siblings))
    large = loose.mapping(siblings[path].get("lfs"))
    digest, size = loose.sha256(large.get("sha256") or large.get("oid")), loose.whole(large.get("size"))
    if not digest or not size:
        raise BadInputError(say("hub.hf_no_hash", path=path, name=link.repository))
    card = loose.mapping(about.get("cardData"))
    scan, words = _scan(link.repository, commit, path, policy, key)
    return Record(
        hub="huggingface",
        link=str(HuggingFaceLink(link.repository, commit, path)),
        page=f"{SITE}/{link.repository}",
        name=link.repository.split("/")[1],
        version=commit[:8] if link.revision == "main" else f"{link.revision[:40]} ({commit[:8]})",
        file_name=_file_name(link.repository, path),
        download_address=f"{SITE}/{repository}/resolve/{commit}/{quote(path)}",
        sha256=digest,
        bytes=size,
        exact_size=True,
        base=", ".join(loose.texts(card.get("base_model"))),
        author=link.repository.split("/")[0],
        licence=_licence(card),
        triggers=loose.texts(card.get("instance_prompt")),
        scan=scan,
        scan_text=words,
        preview_address=_preview(repository, commit, siblings),
        notes=_notes(about, path),
        files=_choices(link, commit, siblings),
        facts={"repository": link.repository, "commit": commit, "path": path, "gated": bool(about.get("gated"))},
    )


def _chosen(link: HuggingFaceLink, paths: list[str]) -> str:
    if link.path:
        if not link.path.lower().endswith(".safetensors"):
            raise BadInputError(say("hub.hf_other_format", path=link.path))
        if link.path not in paths:
            raise BadInputError(say("hub.hf_no_file", name=link.repository, path=link.path, revision=link.revision))
        return link.path
    safe = [path for path in paths if path.lower().endswith(".safetensors")]
    if not safe:
        raise BadInputError(say("hub.hf_none", name=link.repository, n=len(paths)))
    if len(safe) == 1 or USUAL_NAME in safe:
        return USUAL_NAME if USUAL_NAME in safe else safe[0]
    choices = tuple(Choice(str(HuggingFaceLink(link.repository, link.revision, p)), p) for p in safe[:_MAX_FILES_SHOWN])
    shown = [choice.link for choice in choices[:8]] + (["…"] if len(safe) > 8 else [])
    raise ChooseFileError(
        say("hub.name_one", repository=link.repository, n=len(safe), files=shown),
        choices,
    )


def _choices(link: HuggingFaceLink, commit: str, siblings: Mapping[str, Any]) -> tuple[Choice, ...]:
    safe = [path for path in siblings if path.lower().endswith(".safetensors")]
    return tuple(Choice(str(HuggingFaceLink(link.repository, commit, p)), p) for p in safe[:_MAX_FILES_SHOWN])


def _file_name(repository: str, path: str) -> str:
    """The usual name says nothing, so the repository's takes its place."""
    name = path.rsplit("/", 1)[-1]
    return f"{repository.split('/')[1]}.safetensors" if name == USUAL_NAME else name


def _licence(card: Mapping[str, Any]) -> str:
    name = ", ".join(loose.texts(card.get("license")))
    return loose.text(card.get("license_name")) or name if name in ("", "other") else name


def _scan(repository: str, commit: str, path: str, policy: Policy, key: Key | None) -> tuple[Scan, str]:
    """What the hub's scanners say about one file; a missing report is said, and is no failure."""
    folder = path.rpartition("/")[0]
    address = f"{SITE}/api/models/{quote(repository)}/tree/{commit}{f'/{quote(folder)}' if folder else ''}?expand=true"
    try:
        listed = loose.items(ask_json(policy, address, key))
    except AnswerError:
        return "unknown", say("hub.no_scan_read")
    entry = next((item for item in listed if item.get("path") == path), {})
    status = loose.text(loose.mapping(entry.get("securityFileStatus")).get("status"))
    if status == "safe":
        return "clean", say("hub.scan_nothing")
    if status in ("unsafe", "suspicious", "caution"):
        return "danger" if status == "unsafe" else "unknown", say("hub.scan_says", status=status)
    if status in ("queued", "pending"):
        return "pending", say("hub.not_scanned")
    return "unknown", say("hub.no_scan")


def _preview(repository: str, commit: str, siblings: Mapping[str, Any]) -> str:
    pictures = [p for p in siblings if p.lower().endswith(_PICTURES)]
    return f"{SITE}/{repository}/resolve/{commit}/{quote(pictures[0])}" if pictures else ""


def _notes(about: Mapping[str, Any], path: str) -> tuple[str, ...]:
    notes = []
    if about.get("gated"):
        notes.append(say("hub.gated"))
    if loose.mapping(about.get("cardData")).get("base_model") and "lora" not in loose.texts(about.get("tags")):
        notes.append(say("hub.maybe_no_lora", path=path))
    return tuple(notes)
