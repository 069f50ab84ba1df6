"""Requests under a :class:`~.policy.Policy`: every hop is checked, and a key goes to its own hub alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLError
from typing import Any
from urllib.parse import urljoin, urlsplit

from .. import __version__
from ..errors import LorasmithError
from ..say import say
from . import loose
from .keys import Key
from .policy import HUB_HOSTS, Hub, Policy, RefusedError, require_hub, require_store

_BLOCK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_TITLES: dict[Hub, str] = {"civitai": "Civitai", "huggingface": "Hugging Face"}


class HubError(LorasmithError):
    """A hub or the way to it failed; the message says whether another try may help."""


class BrokenOffError(HubError):
    """The connection ended or stalled in the middle of an answer."""


class AnswerError(HubError):
    """The hub answered with an error. ``status`` is its number; 401 stands for every kind of 'log in'."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def title(hub: Hub) -> str:
    """The hub's name for people."""
    return _TITLES[hub]


@dataclass
class Answer:
    """The head of a hub's or store's answer; the body is read in blocks."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    host: str
    _body: HTTPResponse

    @property
    def length_bytes(self) -> int | None:
        """How long the body says it is."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdecimal() else None

    def blocks(self) -> Iterator[bytes]:
        """The body as it arrives.

        Raises:
            BrokenOffError: the connection ended or was silent for too long.
        """
        while True:
            try:
                block = self._body.read1(_BLOCK_BYTES)
            except TimeoutError as error:
                raise BrokenOffError(say("hub.went_silent", host=self.host)) from error
            except (OSError, HTTPException) as error:
                raise BrokenOffError(say("hub.connection_broke", host=self.host)) from error
            if not block:
                return
            yield block


@contextmanager
def ask(
    policy: Policy,
    address: str,
    key: Key | None = None,
    *,
    hub: Hub | None = None,
    extra: Mapping[str, str] | None = None,
) -> Iterator[Answer]:
    """GET ``address`` and follow its redirects; the last answer, whatever its status.

    Without ``hub`` the first request must go to a hub itself; with it, to the hub or one of its stores.

    Raises:
        RefusedError: an address is against the policy.
        AnswerError: a redirect leads to a log-in page (status 401), or there are too many.
        HubError: nobody can be reached, or the certificate is wrong.
    """
    owner = hub or require_hub(address)
    for _ in range(policy.max_redirects + 1):
        host = require_store(owner, address)
        headers = {"User-Agent": f"Lorasmith/{__version__}", "Accept-Encoding": "identity", "Accept": "*/*"}
        headers.update(extra or {})
        if key and HUB_HOSTS.get(host) == owner:
            headers["Authorization"] = key.header()
        connection = _connected(policy, host)
        try:
            answer = _answered(connection, address, host, headers)
            if answer.status not in _REDIRECTS:
                yield answer
                return
            address = urljoin(address, answer.headers.get("location", ""))
        finally:
            connection.close()
        _refuse_login(owner, address)
    raise AnswerError(say("hub.sent_on", hub=title(owner), n=policy.max_redirects), 310)


def ask_json(policy: Policy, address: str, key: Key | None = None) -> Any:
    """The JSON that a hub answers.

    Raises:
        RefusedError, HubError: as :func:`ask`.
        AnswerError: the status is not 200, or the body is too long or no JSON.
    """
    hub = require_hub(address)
    with ask(policy, address, key, extra={"Accept": "application/json"}) as answer:
        body = read_all(answer, policy.max_answer_bytes, policy.answer_timeout_s)
    if answer.status != 200:
        raise AnswerError(said(hub, answer.status, body), answer.status)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnswerError(say("hub.no_json", hub=title(hub)), 502) from error


def read_all(answer: Answer, max_bytes: int, timeout_s: float) -> bytes:
    """The whole body.

    Raises:
        HubError: it is longer than ``max_bytes``, or takes longer than ``timeout_s``.
    """
    started, parts, size = time.monotonic(), [], 0
    for block in answer.blocks():
        parts.append(block)
        size += len(block)
        if size > max_bytes:
            raise HubError(say("hub.more_than_taken", host=answer.host, most=max_bytes))
        if time.monotonic() - started > timeout_s:
            raise HubError(say("hub.took_long", host=answer.host, seconds=timeout_s))
    if answer.length_bytes is not None and size < answer.length_bytes:
        raise BrokenOffError(say("hub.sent_part", host=answer.host, size=size, wanted=answer.length_bytes))
    return b"".join(parts)


def said(hub: Hub, status: int, body: bytes = b"") -> str:
    """An error status in words, with the hub's own short message where it gives one."""
    known = status in (401, 403, 404, 416, 429)
    name = str(status) if known else "trouble" if status >= 500 else "refused"
    text, own = say(f"hub.status_{name}", hub=title(hub)), _own_words(body)
    if own:
        return say("hub.answer_with", text=text, status=status, own=own)
    return say("hub.answer", text=text, status=status)


def _own_words(body: bytes) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = (value.get("error") or value.get("message")) if isinstance(value, dict) else None
    return loose.text(message, 160) if isinstance(message, str) else ""


def _refuse_login(hub: Hub, address: str) -> None:
    split = urlsplit(address)
    if split.path.rstrip("/").endswith("/login") or "reason=download-auth" in split.query:
        raise AnswerError(said(hub, 401), 401)


def _connected(policy: Policy, host: str) -> HTTPSConnection:
    roots = policy.roots()
    connection = HTTPSConnection(host, 443, timeout=policy.silence_timeout_s, context=roots)
    raw = None
    try:
        raw = policy.connect(host, policy.connect_timeout_s)
        raw.settimeout(policy.silence_timeout_s)
        connection.sock = roots.wrap_socket(raw, server_hostname=host)
    except RefusedError:
        raise
    except SSLError as error:
        _close(raw)
        raise HubError(say("hub.not_proven", host=host, reason=error.reason or "certificate")) from error
    except (OSError, HTTPException) as error:
        _close(raw)
        raise HubError(say("hub.not_reached", host=host, why=error)) from error
    return connection


def _close(raw: Any) -> None:
    if raw is not None:
        raw.close()


def _answered(connection: HTTPSConnection, address: str, host: str, headers: Mapping[str, str]) -> Answer:
    split = urlsplit(address)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    try:
        connection.request("GET", target, headers=dict(headers))
        body = connection.getresponse()
    except TimeoutError as error:
        raise BrokenOffError(say("hub.no_answer", host=host)) from error
    except (OSError, HTTPException, ValueError) as error:
        raise BrokenOffError(say("hub.odd_answer", host=host, kind=type(error).__name__)) from error
    return Answer(body.status, {name.lower(): value for name, value in body.getheaders()}, host, body)
