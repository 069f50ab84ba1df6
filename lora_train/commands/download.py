"""``download LINK --to DIR``: a LoRA from Civitai or Hugging Face, verified."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..observer import Observer
from ..say import say

if TYPE_CHECKING:
    from ..hub.policy import Policy

HELP = "fetch a LoRA from Civitai or Hugging Face and check that it is what the hub says"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("download", help=HELP, description=HELP)
    parser.add_argument("link", help="page, download address, AIR name, or owner/repository")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder for the LoRA")
    parser.add_argument("--name", default="", help="file name in that folder (the hub's own)")
    parser.add_argument("--look", action="store_true", help="only say what the link is; fetch nothing")
    return parser


def run(args: argparse.Namespace, observer: Observer, policy: Policy | None = None) -> dict[str, Any]:
    from ..errors import BadInputError
    from ..hub.download import download
    from ..hub.keys import config_folder
    from ..hub.resolve import resolve

    folder: Path | None = args.to
    if folder is None and not args.look:
        raise BadInputError(say("cli.no_folder"))
    record = resolve(args.link, config_folder(), policy)
    result: dict[str, Any] = {"path": None, "sha256": record.sha256, "source": record.link, "record": record.to_json()}
    if folder is None or args.look:
        return {**result, "text": record.text()}
    observer.message(record.text())
    fetched = download(record, folder, config_folder(), name=args.name, policy=policy, observer=observer)
    return {**result, **fetched.to_json()}


def show(result: dict[str, Any]) -> str:
    if result["path"] is None:
        return result["text"]
    key = "cli.there_already" if result["already"] else "cli.verified"
    lines = [f"{result['path']}", say(key, sha256=result["sha256"])]
    return "\n".join(lines + [say("node.note", text=note) for note in result["notes"]])
