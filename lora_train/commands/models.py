"""``models list`` and ``models get faces``: the model files of the photo audit."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..observer import Observer
from ..say import say

HELP = "the model files that look at faces: what is there, and fetch what is missing"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    parser = parser_factory("models", help=HELP, description=HELP)
    parser.add_argument("action", choices=("list", "get"))
    parser.add_argument("name", nargs="?", help="for get: faces, body, identity or all")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder for the files (default: Lorasmith's own)")
    parser.add_argument("--force", action="store_true", help="fetch again what is there")
    return parser


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    from ..errors import BadInputError
    from ..faces.fetch import get_models
    from ..faces.models import SETS, model_set

    if args.action == "get":
        if not args.name:
            raise BadInputError(say("cli.which_models", names=[s.id for s in SETS]))
        for one in SETS if args.name == "all" else (model_set(args.name),):
            get_models(one, args.to, observer, args.force)
    return state(args.to)


def state(folder: Path | None = None) -> dict[str, Any]:
    """Every set with its files, and every analyzer with its next step."""
    from ..faces import analyzers
    from ..faces.models import SETS, find_set, models_folder

    sets = []
    for one in SETS:
        found = find_set(one, folder)
        files = [
            {"name": f.name, "bytes": f.size_bytes, "path": str(found[f.name]) if f.name in found else None}
            for f in one.files
        ]
        sets.append({
            "id": one.id, "title": one.title, "bytes": one.size_bytes, "files": files,
            "licence": one.files[0].wheel.licence, "ready": len(found) == len(files),
        })  # fmt: skip
    states = [{"id": s.id, "title": s.title, "available": s.available, "missing": s.missing} for s in analyzers(folder)]
    return {"folder": str(folder or models_folder()), "models": sets, "analyzers": states}


def show(result: dict[str, Any]) -> str:
    lines = [say("cli.models_in", folder=result["folder"])]
    for one in result["models"]:
        mark = say("cli.there") if one["ready"] else say("cli.missing")
        lines.append(f"  {mark:<7} {one['id']:<9} {one['bytes'] / 1e6:5.1f} MB  {one['title']}; {one['licence']}")
    lines.append(say("cli.analyzers"))
    for one in result["analyzers"]:
        mark = say("cli.ready") if one["available"] else say("cli.not_yet")
        lines.append(f"  {mark:<7} {one['title']}" + (f". {one['missing']}" if one["missing"] else ""))
    return "\n".join(lines)
