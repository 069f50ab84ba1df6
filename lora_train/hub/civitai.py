"""Civitai: from a link to a record, through its public API (developer.civitai.com/site/reference)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import BadInputError
from ..say import say
from . import loose
from .keys import Key
from .links import CivitaiLink
from .policy import HUB_HOSTS, Policy
from .record import Choice, Record, Scan
from .web import AnswerError, ask_json

KINDS = ("LORA", "LoCon", "DoRA")
_MILD = 2  # browsing levels: 1 is PG, 2 is PG-13
_FULL_SITE = "civitai.red"


def resolve(link: CivitaiLink, policy: Policy, key: Key | None) -> Record:
    """Ask Civitai what ``link`` is. Without a version it is the newest one, and the record says so.

    Raises:
        BadInputError: no LoRA, or no file that can be fetched and checked.
        HubError: Civitai cannot be reached or refuses.
    """
    site, version_id = link.site, link.version_id
    if version_id is None:
        site, model = _get(site, f"models/{link.model_id}", policy, key)
        listed = loose.items(model.get("modelVersions"))
        version_id = next((v for version in listed if (v := loose.whole(version.get("id"))) is not None), None)
        if version_id is None:
            raise BadInputError(say("hub.no_version", link=link))
        site, version = _get(site, f"model-versions/{version_id}", policy, key)
    else:
        site, version = _get(site, f"model-versions/{version_id}", policy, key)
        model = _model_of(site, version, policy, key)
    return _record(link, site, model, version)


def _get(site: str, path: str, policy: Policy, key: Key | None) -> tuple[str, dict[str, Any]]:
    """The answer and the site that gave it: a part of the models is on one of the sites alone."""
    try:
        return site, loose.mapping(ask_json(policy, f"https://{site}/api/v1/{path}", key))
    except AnswerError as error:
        if error.status != 404 or site == _FULL_SITE:
            raise
    return _FULL_SITE, loose.mapping(ask_json(policy, f"https://{_FULL_SITE}/api/v1/{path}", key))


def _model_of(site: str, version: Mapping[str, Any], policy: Policy, key: Key | None) -> dict[str, Any]:
    """The page of a version; what is missing without it is the licence, so its absence is no failure."""
    model_id = loose.whole(version.get("modelId"))
    if model_id is None:
        return loose.mapping(version.get("model"))
    try:
        return _get(site, f"models/{model_id}", policy, key)[1]
    except AnswerError as error:
        if error.status != 404:
            raise
        return loose.mapping(version.get("model"))


def _record(link: CivitaiLink, site: str, model: Mapping[str, Any], version: Mapping[str, Any]) -> Record:
    name = loose.text(model.get("name")) or loose.text(loose.mapping(version.get("model")).get("name"))
    kind = loose.text(model.get("type")) or loose.text(loose.mapping(version.get("model")).get("type"))
    if kind not in KINDS:
        raise BadInputError(say("hub.not_a_lora", name=name, kind=kind or "thing of no kind"))
    model_id, version_id = loose.whole(version.get("modelId")), loose.whole(version.get("id"))
    model_id = loose.whole(model.get("id")) if model_id is None else model_id
    if version_id is None:
        raise BadInputError(say("hub.names_no_version", name=name))
    files = _safe_files(name, version)
    file = _chosen(files, link.file_id, name)
    digest = loose.sha256(loose.mapping(file.get("hashes")).get("SHA256"))
    if not digest:
        raise BadInputError(say("hub.no_hash_yet", name=loose.text(file.get("name"))))
    scan, words = _scan(file)
    here = CivitaiLink(site, model_id, version_id, loose.whole(file.get("id")) if len(files) > 1 else None)
    versions = loose.items(model.get("modelVersions"))
    return Record(
        hub="civitai",
        link=str(here),
        page=f"https://{CivitaiLink(site, model_id, version_id)}",
        name=name or f"Civitai version {version_id}",
        version=loose.text(version.get("name")),
        file_name=loose.text(file.get("name")),
        download_address=_download_address(site, version_id, file),
        sha256=digest,
        bytes=_size(file, name),
        exact_size=False,
        base=loose.text(version.get("baseModel")),
        author=loose.text(loose.mapping(model.get("creator")).get("username")),
        licence=_licence(model),
        triggers=loose.texts(version.get("trainedWords")),
        scan=scan,
        scan_text=words,
        preview_address=_preview(version),
        notes=_notes(link, version, versions),
        versions=_other_versions(site, model_id, versions),
        files=tuple(
            Choice(str(CivitaiLink(site, model_id, version_id, loose.whole(f.get("id")))), loose.text(f.get("name")))
            for f in files
        ),
        facts={
            "modelId": model_id,
            "modelVersionId": version_id,
            "air": loose.text(version.get("air")),
            **{k: model[k] for k in _PERMISSIONS if isinstance(model.get(k), bool)},
            "allowCommercialUse": list(loose.texts(model.get("allowCommercialUse"))),
        },
    )


def _safe_files(name: str, version: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = loose.items(version.get("files"))
    safe = [f for f in listed if loose.text(f.get("name")).lower().endswith(".safetensors")]
    usage = loose.text(version.get("usageControl"))
    if usage not in ("", "Download"):
        raise BadInputError(say("hub.civitai_only", name=name, usage=usage))
    if not safe:
        others = ", ".join(loose.text(f.get("name"), 60) for f in listed) or say("hub.none_at_all")
        raise BadInputError(say("hub.no_safe_file", name=name, files=others))
    return sorted(safe, key=lambda f: (loose.text(f.get("type")) != "Model", f.get("primary") is not True))


def _chosen(files: list[dict[str, Any]], file_id: int | None, name: str) -> dict[str, Any]:
    if file_id is None:
        return files[0]
    for file in files:
        if loose.whole(file.get("id")) == file_id:
            return file
    raise BadInputError(say("hub.no_file_number", name=name, number=file_id))


def _download_address(site: str, version_id: int, file: Mapping[str, Any]) -> str:
    """The file's own address when it is one of Civitai's download addresses, else the version's."""
    given = loose.text(file.get("downloadUrl"), 500)
    split = urlsplit(given) if given.startswith("https://") else None
    if split and HUB_HOSTS.get(split.netloc.lower()) == "civitai" and split.path.startswith("/api/download/models/"):
        # The site that knows the model also gives it out.
        return f"https://{site}{split.path}{f'?{split.query}' if split.query else ''}"
    return f"https://{site}/api/download/models/{version_id}"


def _size(file: Mapping[str, Any], name: str) -> int:
    kilobytes = file.get("sizeKB")
    if not isinstance(kilobytes, int | float) or isinstance(kilobytes, bool) or not 0 < kilobytes < 1e12:
        raise BadInputError(say("hub.no_size", name=name))
    return round(kilobytes * 1024)


def _scan(file: Mapping[str, Any]) -> tuple[Scan, str]:
    results = {what: loose.text(file.get(f"{what}ScanResult")) for what in ("pickle", "virus")}
    done = {what: result or say("hub.not_done") for what, result in results.items()}
    words = say("hub.scans", pickle=done["pickle"], virus=done["virus"])
    if "Danger" in results.values():
        return "danger", words
    if set(results.values()) == {"Success"}:
        return "clean", words
    return ("pending" if "Pending" in results.values() else "unknown"), words


_PERMISSIONS = ("allowNoCredit", "allowCommercialUse", "allowDerivatives", "allowDifferentLicense")


def _licence(model: Mapping[str, Any]) -> str:
    """Civitai's permission switches in words."""
    if not any(name in model for name in _PERMISSIONS):
        return ""
    commercial = model.get("allowCommercialUse")
    uses = [use for use in re.findall(r"[A-Za-z]+", ",".join(loose.texts(commercial))) if use != "None"]
    words = [say("hub.commercial", uses=uses) if uses else say("hub.no_commercial")]
    words.append(say("hub.no_credit") if model.get("allowNoCredit") else say("hub.credit"))
    words.append(say("hub.merges") if model.get("allowDerivatives") else say("hub.no_merges"))
    if model.get("allowDerivatives"):
        words.append(say("hub.other_licence") if model.get("allowDifferentLicense") else say("hub.same_licence"))
    return say("hub.licence", words=words)


def _preview(version: Mapping[str, Any]) -> str:
    """The mildest still picture, none above PG-13."""
    pictures = [
        (level, loose.text(image.get("url"), 500))
        for image in loose.items(version.get("images"))
        if loose.text(image.get("type")) in ("", "image")
        and (level := loose.whole(image.get("nsfwLevel"))) is not None
        and level <= _MILD
    ]
    return min(pictures, default=(0, ""), key=lambda p: p[0])[1]


def _notes(link: CivitaiLink, version: Mapping[str, Any], versions: list[dict[str, Any]]) -> tuple[str, ...]:
    notes = []
    if link.version_id is None and len(versions) > 1:
        notes.append(say("hub.newest_of", n=len(versions)))
    if ends := loose.text(version.get("earlyAccessEndsAt")):
        notes.append(say("hub.early_access", date=ends[:10]))
    return tuple(notes)


def _other_versions(site: str, model_id: int | None, versions: list[dict[str, Any]]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            str(CivitaiLink(site, model_id, number)),
            " · ".join(filter(None, (loose.text(v.get("name"), 60), loose.text(v.get("baseModel"), 40)))),
        )
        for v in versions[:100]
        if (number := loose.whole(v.get("id"))) is not None
    )
