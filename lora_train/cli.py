"""The shell command ``lorasmith``: one verb, human text, and JSON with ``--json FILE``.

Exit codes: 0 success, 2 bad input (one line, no traceback), 3 a quality gate failed, 130 cancelled.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from . import __version__
from .commands import HIDDEN, VERBS
from .errors import LorasmithError
from .files import write_json
from .observer import ConsoleObserver, NullObserver
from .say import LANGUAGES, heard, say, use_language

CANCELLED = 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} {say('cli.see_help', command=self.prog)}", file=sys.stderr)
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    arguments = _spoken(list(sys.argv[1:] if argv is None else argv))
    parser, modules = _build(arguments)
    args = parser.parse_args(arguments)
    module = modules[args.verb]
    observer = NullObserver() if args.quiet else ConsoleObserver()
    try:
        _report(module, heard(module.run(args, observer)), args.json)
    except LorasmithError as error:
        # A failed quality gate still has a result to show.
        if (result := getattr(error, "result", None)) is not None:
            _report(module, heard(result), args.json)
        print(f"lorasmith {args.verb}: {_one_line(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"lorasmith {args.verb}: {say('cli.cancelled')}", file=sys.stderr)
        return CANCELLED
    return 0


def _spoken(arguments: list[str]) -> list[str]:
    """Settle the language, before anything is said, and return the other arguments.

    ``--language ru`` stands before the verb, and after it as well.
    """
    early = _Parser(prog="lorasmith", add_help=False, allow_abbrev=False)
    _add_language(early)
    chosen, rest = early.parse_known_args(arguments)
    use_language(chosen.language)
    return rest


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", choices=LANGUAGES, help="of what is said (else LORASMITH_LANGUAGE, LC_ALL, LANG)")


def _build(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    """The parser with the verb that is asked for, or with all of them to list and to choose from."""
    parser = _Parser(prog="lorasmith", description="From a folder of photos to a LoRA that is worth keeping.")
    parser.add_argument("--version", action="version", version=f"lorasmith {__version__}")
    _add_language(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def factory(name: str, **options: Any) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, **options)
        made.add_argument("--json", metavar="FILE", help="also write the result as JSON ('-': to standard output)")
        made.add_argument("--quiet", action="store_true", help="no progress bar")
        return made

    wanted = arguments[:1] if arguments[:1] and arguments[0] in VERBS else [v for v in VERBS if v not in HIDDEN]
    modules = {verb: import_module(f".commands.{verb.replace('-', '_')}", __package__) for verb in wanted}
    for module in modules.values():
        module.add(factory)
    return parser, modules


def _report(module: ModuleType, result: dict[str, Any], target: str | None) -> None:
    """Human text to standard output; JSON to the file, or instead of the text for ``-``."""
    if target == "-":
        print(json.dumps(result, ensure_ascii=False, allow_nan=False, default=str))
        return
    if target:
        write_json(Path(target), result)
    if text := module.show(result):
        print(text)


def _one_line(text: str) -> str:
    lines = [line.removeprefix("- ").strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines).replace(":; ", ": ")
