"""What the Fetch LoRA node asks of the server: look a link up, download, stop, and is it here.

``look`` and ``download`` use the network, and only because a user pressed a button: running a graph calls
none of these.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.errors import BadInputError
from ..lora_train.say import say
from . import _host as host
from . import _http, _hub_jobs
from ._fetched import find, listed_name

if TYPE_CHECKING:
    from ..lora_train.hub.policy import Policy

policy: Policy | None = None
"""The rules of every request; None stands for the usual ones. Tests put their own here."""

PREVIEW_SIDE_PX = 192


def register() -> None:
    """Make the addresses known, once, while ComfyUI loads the pack."""
    _http.register(
        {
            "/lorasmith/hub/look": look,
            "/lorasmith/hub/download": download,
            "/lorasmith/hub/stop": stop,
            "/lorasmith/hub/jobs": jobs,
            "/lorasmith/hub/have": have,
        }
    )


def look(asked: dict[str, Any]) -> dict[str, Any]:
    """What a link is, and where it could be saved; or the files to choose from."""
    from ..lora_train.hub.find import find_content
    from ..lora_train.hub.huggingface import ChooseFileError
    from ..lora_train.hub.names import safe_name
    from ..lora_train.hub.record import size_text

    try:
        record = _resolved(asked)
    except ChooseFileError as error:
        return {"choices": [vars(choice) for choice in error.choices], "text": str(error)}
    folders = host.lora_folders()
    here = find_content(folders, record.sha256)
    return {
        "record": record.to_json(),
        "size": size_text(record.bytes),
        "picture": _picture(record),
        "save_as": safe_name(record.file_name, f"lora_{record.sha256[:8]}").removesuffix(".safetensors"),
        "folders": [_label(folder) for folder in folders],
        "here": listed_name(here) if here else "",
    }


def download(asked: dict[str, Any]) -> dict[str, Any]:
    """Start to fetch what ``look`` has shown: the sum says that it is still the same file."""
    record = _resolved(asked)
    if record.sha256 != asked.get("sha256"):
        raise BadInputError(say("node.link_changed"))
    return _hub_jobs.start(record, _folder(asked), _text(asked, "name"), policy).to_json()


def stop(asked: dict[str, Any]) -> dict[str, Any]:
    """End a download; what has arrived is kept."""
    return _hub_jobs.stop(_text(asked, "id")).to_json()


def jobs(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Downloads that run or have run, for an editor that was just opened."""
    return [job.to_json() for job in _hub_jobs.all_jobs()]


def have(asked: dict[str, Any]) -> dict[str, Any]:
    """Is a fetched LoRA on this computer? Nothing leaves it for the answer."""
    found = find(_text(asked, "name"), _text(asked, "sha256"))
    return {"name": found[0] if found else ""}


def _resolved(asked: dict[str, Any]) -> Any:
    from ..lora_train.hub.resolve import resolve

    return resolve(_text(asked, "link"), host.private_folder(), policy)


def _text(asked: dict[str, Any], key: str) -> str:
    value = asked.get(key, "")
    if not isinstance(value, str):
        raise BadInputError(say("node.must_be_text", name=key))
    return value


def _folder(asked: dict[str, Any]) -> Path:
    """By its place in the list: a request cannot name a folder."""
    folders, index = host.lora_folders(), asked.get("folder", 0)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(folders):
        raise BadInputError(say("node.no_folder_number", number=repr(index), count=len(folders)))
    return folders[index]


def _label(folder: Path) -> str:
    return "/".join(folder.parts[-2:])


def _picture(record: Any) -> str:
    """The preview as a data URL: the editor itself asks no other server. Empty where there is none."""
    from ..lora_train.errors import LorasmithError
    from ..lora_train.hub.policy import Policy
    from ..lora_train.hub.sidecar import fetch_preview

    if not record.preview_address:
        return ""
    try:
        content = fetch_preview(record, policy or Policy(), None, PREVIEW_SIDE_PX)
    except LorasmithError as error:
        host.log.info("Lorasmith: no preview: %s", error)
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
