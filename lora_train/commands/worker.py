"""``worker``: the training process. Started by Lorasmith itself, not by people."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..observer import Observer
from ..training.worker import main

HELP = "internal: serve one training request on standard input"


def add(parser_factory: Callable[..., argparse.ArgumentParser]) -> argparse.ArgumentParser:
    return parser_factory("worker", help=HELP, description=HELP)


def run(args: argparse.Namespace, observer: Observer) -> dict[str, Any]:
    raise SystemExit(main())


def show(result: dict[str, Any]) -> str:
    return ""
