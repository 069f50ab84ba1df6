"""From a record to a file: streamed, continued where it broke off, checked, and only then named."""

from __future__ import annotations

import errno
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInputError, LorasmithError, UnsupportedModelError
from ..files import sha256_of
from ..observer import NullObserver, Observer
from ..say import say
from .check import check_start, check_whole
from .keys import Key, find_key
from .names import free_name, safe_name, target_path
from .part import Part, opened, part_path, publish
from .policy import Policy
from .record import Record, size_text
from .resolve import in_words
from .sidecar import write_sidecars
from .web import Answer, AnswerError, BrokenOffError, HubError, ask, read_all, said, title

_PAGES = ("text/", "application/json", "application/xhtml", "application/xml", "application/problem+json")


@dataclass(frozen=True)
class Fetched:
    """A LoRA that is on the disk and is what the hub says it is."""

    path: Path
    sha256: str
    source: str
    bytes: int
    resumed_bytes: int
    """Taken over from an earlier try."""
    already: bool
    """True when the very file was there before, so nothing was fetched."""
    sidecar: Path | None
    preview: Path | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "path": str(self.path),
            "sidecar": str(self.sidecar) if self.sidecar else None,
            "preview": str(self.preview) if self.preview else None,
            "notes": list(self.notes),
        }


def download(
    record: Record,
    folder: Path,
    keys: Path,
    *,
    name: str = "",
    policy: Policy | None = None,
    observer: Observer | None = None,
) -> Fetched:
    """Fetch ``record`` into ``folder``, as ``name`` or as the hub calls it. Nothing is ever overwritten.

    What has arrived when it breaks off, or is cancelled, stays in a ``.part`` file and is continued by the
    next call. The file gets its name when its SHA-256 is the one of the record and its header is a LoRA's.

    Raises:
        BadInputError: refused by the scan, the name is taken or leaves the folder, the disk is full, a key
            is needed, or the content is not what the hub's record says.
        HubError: the hub or its store failed; what has arrived is kept.
        Cancelled: by the observer.
    """
    policy, observer = policy or Policy(), observer or NullObserver()
    target = target_path(folder, name or safe_name(record.file_name, f"lora_{record.sha256[:8]}"))
    _refuse_unwanted(record, policy)
    key = find_key(record.hub, keys)
    if target.exists():
        _require_same(target, record)
        return _finished(record, target, policy, key, already=True)
    path = part_path(target, record.sha256)
    try:
        with opened(path) as part:
            resumed = part.bytes
            _require_space(record, part, target.parent, policy)
            observer.stage(say("stage.downloading", name=target.name))
            _fill(record, part, target.name, policy, key, observer)
            _verify(record, part, target.name)
        check_whole(path, target.name)
        if not publish(path, target):
            raise _taken(target)
    except AnswerError as error:
        raise in_words(error, record.hub, keys) from error
    except UnsupportedModelError:
        path.unlink(missing_ok=True)
        raise
    except OSError as error:
        raise _disk(error, target) from error
    return _finished(record, target, policy, key, resumed=resumed)


def _refuse_unwanted(record: Record, policy: Policy) -> None:
    problems = []
    if record.scan == "danger":
        problems.append(say("hub.not_fetched", name=record.file_name, scan=record.scan_text))
    if record.bytes > policy.max_file_bytes:
        problems.append(
            say(
                "hub.too_large",
                name=record.file_name,
                size=size_text(record.bytes),
                most=size_text(policy.max_file_bytes),
            )
        )
    BadInputError.collect(problems)


def _require_same(target: Path, record: Record) -> None:
    if not target.is_file() or sha256_of(target) != record.sha256:
        raise _taken(target)


def _taken(target: Path) -> BadInputError:
    return BadInputError(say("hub.name_taken", name=target.name, folder=target.parent, free=free_name(target)))


def _disk(error: OSError, target: Path) -> LorasmithError:
    key = "hub.disk_full" if error.errno == errno.ENOSPC else "hub.cannot_write"
    return BadInputError(say(key, name=target.name, folder=target.parent, reason=error.strerror or str(error)))


def _require_space(record: Record, part: Part, folder: Path, policy: Policy) -> None:
    needed = max(0, record.bytes - part.bytes) + policy.spare_disk_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInputError(
            say("hub.no_space", folder=folder, free=size_text(free), name=record.file_name, needed=size_text(needed))
        )


def _most_bytes(record: Record) -> int:
    """What a body may hold: a size that the hub rounds is believed to a thousandth."""
    return record.bytes if record.exact_size else record.bytes + record.bytes // 1000 + 4096


def _fill(record: Record, part: Part, name: str, policy: Policy, key: Key | None, observer: Observer) -> None:
    """Connect until everything is there, as long as every connection brings something new."""
    if part.bytes > _most_bytes(record):
        part.restart()
    for attempt in range(1, policy.attempts + 1):
        if record.exact_size and part.bytes == record.bytes or part.sha256 == record.sha256:
            return
        before = part.bytes
        try:
            _stream(record, part, name, policy, key, observer)
            return
        except BrokenOffError as error:
            stuck = part.bytes <= before and not isinstance(error, _StartAgainError)
            if attempt == policy.attempts or stuck:
                raise BrokenOffError(
                    say("hub.broke_off", why=error, done=size_text(part.bytes), total=size_text(record.bytes))
                ) from error
            observer.message(say("hub.continuing", why=error, done=size_text(part.bytes)))


def _stream(record: Record, part: Part, name: str, policy: Policy, key: Key | None, observer: Observer) -> None:
    """One connection: append what it brings.

    Raises:
        BrokenOffError: it ended early, stalled, or cannot continue where the part ends.
    """
    extra = {"Range": f"bytes={part.bytes}-"} if part.bytes else {}
    with ask(policy, record.download_address, key, extra=extra) as answer:
        _require_file(record, answer, policy)
        _align(answer, part)
        end = part.bytes + answer.length_bytes if answer.length_bytes is not None else None
        if end is not None and (end > _most_bytes(record) or (record.exact_size and end != record.bytes)):
            raise HubError(
                say("hub.announces", host=answer.host, announced=end, name=record.file_name, record=record.bytes)
            )
        _take(record, part, name, answer, policy, observer)
    if part.bytes < (end or (record.bytes if record.exact_size else 0)):
        raise BrokenOffError(say("hub.ended_in_middle", host=answer.host))


def _require_file(record: Record, answer: Answer, policy: Policy) -> None:
    if answer.status == 416:
        return
    if answer.status not in (200, 206):
        body = read_all(answer, policy.max_answer_bytes, policy.answer_timeout_s)
        raise AnswerError(said(record.hub, answer.status, body), answer.status)
    kind = answer.headers.get("content-type", "").lower()
    packed = answer.headers.get("content-encoding", "identity").lower()
    if kind.startswith(_PAGES) or packed != "identity":
        page = say("hub.a_page", kind=kind.split(";")[0][:40])
        what = say("hub.a_packed_file") if packed != "identity" else page
        raise HubError(
            say("hub.answered_with", host=answer.host, what=what, name=record.file_name, hub=title(record.hub))
        )


def _align(answer: Answer, part: Part) -> None:
    """Make the part end where the answer begins."""
    if answer.status == 200:
        if part.bytes:
            part.restart()
        return
    start = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    if answer.status == 416 or start != str(part.bytes):
        part.restart()
        raise _StartAgainError(say("hub.cannot_continue", host=answer.host))


class _StartAgainError(BrokenOffError):
    """The part was emptied; the next connection begins at zero."""


def _take(record: Record, part: Part, name: str, answer: Answer, policy: Policy, observer: Observer) -> None:
    most, needed = _most_bytes(record), 9
    window, in_window = time.monotonic(), 0
    for block in answer.blocks():
        observer.check_cancelled()
        if part.bytes + len(block) > most:
            part.restart()
            raise HubError(say("hub.sent_more", host=answer.host, bytes=record.bytes, name=record.file_name))
        part.write(block)
        in_window += len(block)
        while needed and part.bytes >= needed:
            needed = check_start(part.head(needed), name)
        observer.progress(part.bytes, max(record.bytes, part.bytes))
        if (passed := time.monotonic() - window) >= policy.slow_window_s:
            if in_window / passed < policy.slow_bytes_per_s:
                raise BrokenOffError(say("hub.too_slow", host=answer.host, rate=in_window / passed))
            window, in_window = time.monotonic(), 0


def _verify(record: Record, part: Part, name: str) -> None:
    seen = part.sha256
    if seen != record.sha256:
        part.restart()
        raise BadInputError(
            say("hub.other_content", name=name, hub=title(record.hub), seen=seen[:12], wanted=record.sha256[:12])
        )


def _finished(
    record: Record, target: Path, policy: Policy, key: Key | None, *, already: bool = False, resumed: int = 0
) -> Fetched:
    sidecar, preview, notes = write_sidecars(record, target, policy, key, again=already)
    return Fetched(
        path=target,
        sha256=record.sha256,
        source=record.link,
        bytes=target.stat().st_size,
        resumed_bytes=resumed,
        already=already,
        sidecar=sidecar,
        preview=preview,
        notes=notes,
    )
