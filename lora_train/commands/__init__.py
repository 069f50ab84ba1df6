"""The verbs of the shell command, one module each, imported when they are asked for.

A verb module has ``HELP`` (one line), ``add(parser_factory)`` that makes its argument parser,
``run(args, observer) -> dict`` whose result goes to ``--json FILE``, and ``show(result) -> str``.
"""

from __future__ import annotations

VERBS = ("quickstart", "audit", "crop", "plan", "train", "inspect", "resize", "merge", "conflict", "convert",
         "extract", "download", "diversity", "diagnose", "models", "export-config", "worker")  # fmt: skip
HIDDEN = ("worker",)
