"""From a pasted text to a record: which hub answers for which link."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadInputError
from ..say import say
from . import civitai, huggingface
from .keys import find_key, how_to_add
from .links import CivitaiLink, Link, parse_link
from .policy import Hub, Policy
from .record import Record
from .web import AnswerError


def hub_of(link: Link) -> Hub:
    """The hub that a link belongs to."""
    return "civitai" if isinstance(link, CivitaiLink) else "huggingface"


def resolve(text: str, keys: Path, policy: Policy | None = None) -> Record:
    """Ask the hub what a pasted ``text`` is; ``keys`` is the folder with the user's key files.

    Raises:
        BadInputError: no link, no LoRA, no file that can be checked, or a key is needed.
        HubError: the hub cannot be reached or has trouble.
    """
    policy = policy or Policy()
    link = parse_link(text)
    key = find_key(hub_of(link), keys)
    try:
        if isinstance(link, CivitaiLink):
            return civitai.resolve(link, policy, key)
        return huggingface.resolve(link, policy, key)
    except AnswerError as error:
        raise in_words(error, hub_of(link), keys) from error


def in_words(error: AnswerError, hub: Hub, keys: Path) -> Exception:
    """A hub's refusal with the next step for the user."""
    if error.status in (401, 403):
        return BadInputError(say("hub.add_key", why=error, how=how_to_add(hub, keys)))
    return BadInputError(str(error)) if error.status in (404, 410) else AnswerError(str(error), error.status)
