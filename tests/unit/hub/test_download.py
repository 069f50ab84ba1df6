"""From a record to a checked file, with every kind of bad luck and bad will in between."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hub_server import CDN, R2, HubServer, lora_file, sha256

from lora_train.errors import BadInputError, Cancelled, LorasmithError
from lora_train.hub import part as part_module
from lora_train.hub.download import Fetched, download
from lora_train.hub.part import part_path
from lora_train.hub.policy import RefusedError
from lora_train.hub.record import Record
from lora_train.hub.resolve import resolve
from lora_train.hub.web import BrokenOffError, HubError
from lora_train.observer import RecordingObserver

LORA = lora_file()
SLOT = f"{R2}/5/anna"


class Place(NamedTuple):
    """A hub with one LoRA, and a folder for it."""

    hubs: HubServer
    keys: Path
    folder: Path

    def record(self) -> Record:
        return resolve("5@7", self.keys, self.hubs.policy())

    def fetch(self, record: Record | None = None, observer: Any = None, name: str = "", **changes: Any) -> Fetched:
        policy = self.hubs.policy(**changes)
        return download(record or self.record(), self.folder, self.keys, name=name, policy=policy, observer=observer)

    def refusal(self, kind: type[LorasmithError] = LorasmithError, **changes: Any) -> str:
        with pytest.raises(kind) as caught:
            self.fetch(**changes)
        said = str(caught.value)
        assert "Signature" not in said and "signed" not in said, "the signed address is a secret"
        return said

    def files(self) -> list[str]:
        return sorted(p.name for p in self.folder.iterdir()) if self.folder.exists() else []

    def part(self) -> Path:
        return part_path(self.folder / "anna.safetensors", sha256(LORA))


@pytest.fixture
def place(hubs: HubServer, keys: Path, tmp_path: Path) -> Place:
    hubs.civitai(LORA)
    return Place(hubs, keys, tmp_path / "loras")


def test_from_civitai(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIVITAI_API_KEY", "civitai-secret")
    observer = RecordingObserver()
    fetched = place.fetch(observer=observer)
    assert fetched.path.read_bytes() == LORA and fetched.sha256 == sha256(LORA)
    assert place.files() == ["anna.json", "anna.safetensors"]
    assert observer.of("progress")[-1] == (len(LORA), len(LORA))
    by_host = {seen.host: seen.headers for seen in place.hubs.seen}
    assert by_host["civitai.com"]["authorization"] == "Bearer civitai-secret"
    assert "authorization" not in by_host[R2] and by_host[R2]["user-agent"].startswith("Lorasmith/")
    assert "secret" not in (place.folder / "anna.json").read_text() + str(fetched.to_json())


def test_from_hugging_face(hubs: HubServer, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_secret")
    hubs.hugging_face({"sub/my lora.safetensors": LORA})
    record = resolve("someone/anna", keys, hubs.policy())
    fetched = download(record, tmp_path, keys, policy=hubs.policy(), name="people/anna")
    assert fetched.path == tmp_path.resolve() / "people" / "anna.safetensors"
    assert [s.headers.get("authorization") for s in hubs.seen if s.host == CDN] == [None]


def test_the_same_file_is_not_fetched_twice(place: Place) -> None:
    place.fetch()
    place.hubs.seen.clear()
    again = place.fetch()
    assert again.already and again.notes == () and not place.hubs.asked(R2)


def test_nothing_is_overwritten(place: Place) -> None:
    place.folder.mkdir()
    other = place.folder / "anna.safetensors"
    other.write_bytes(b"mine")
    said = place.refusal(BadInputError)
    assert "nothing is overwritten" in said and "anna_2.safetensors" in said
    assert other.read_bytes() == b"mine" and place.files() == ["anna.safetensors"]
    assert place.fetch(name="anna_2").path.read_bytes() == LORA


def test_a_file_that_appears_meanwhile_is_not_overwritten(place: Place) -> None:
    target = place.folder / "anna.safetensors"

    class Rival(RecordingObserver):
        def stage(self, name: str) -> None:
            target.write_bytes(b"mine")

    for links in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not links:  # a file system without hard links
                patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
            with pytest.raises(BadInputError, match="nothing is overwritten"):
                place.fetch(observer=Rival())
        assert target.read_bytes() == b"mine"
        target.unlink()
    assert place.fetch().resumed_bytes == len(LORA), "what was fetched is still there under its part name"


def test_file_system_without_links(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    assert place.fetch().path.read_bytes() == LORA
    assert place.files() == ["anna.json", "anna.safetensors"]


# -- broken off, and continued ----------------------------------------------------------------------


def test_truncated_bodies_are_continued(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.send_file(LORA, stop_after=50_000)
    fetched = place.fetch()
    assert fetched.path.read_bytes() == LORA
    assert [s.headers.get("range") for s in place.hubs.seen if s.host == R2] == [
        None, "bytes=50000-", "bytes=100000-", "bytes=150000-",
    ]  # fmt: skip


def test_gives_up_and_keeps_the_part(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.send_file(LORA, stop_after=10_000)
    said = place.refusal(BrokenOffError)
    assert "40 kB of 160 kB are kept" in said
    assert place.files() == [place.part().name] and place.part().read_bytes() == LORA[:40_000]
    place.hubs.file(SLOT, LORA)
    fetched = place.fetch()
    assert fetched.resumed_bytes == 40_000 and fetched.path.read_bytes() == LORA
    assert place.files() == ["anna.json", "anna.safetensors"]


def test_no_bytes_at_all_is_not_tried_for_ever(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.send_file(LORA, stop_after=0)
    place.refusal(BrokenOffError)
    assert len(place.hubs.asked(R2)) == 1 and place.files() == []


def test_store_that_ignores_ranges(place: Place) -> None:
    place.folder.mkdir()
    place.part().write_bytes(LORA[:70_000])
    place.hubs.at[SLOT] = lambda h: h.reply(200, {"Content-Type": "binary/octet-stream"}, LORA)
    assert place.fetch().path.read_bytes() == LORA


def test_store_that_continues_at_the_wrong_place(place: Place) -> None:
    place.folder.mkdir()
    place.part().write_bytes(LORA[:70_000])

    def confused(h: Any) -> None:
        if "Range" in h.headers:
            h.reply(206, {"Content-Range": f"bytes 5-{len(LORA) - 1}/{len(LORA)}"}, LORA[5:])
        else:
            h.send_file(LORA)

    place.hubs.at[SLOT] = confused
    assert place.fetch().path.read_bytes() == LORA


def test_damaged_part_is_found_out_and_thrown_away(place: Place) -> None:
    place.folder.mkdir()
    place.part().write_bytes(LORA[:30_000] + b"X" * 100)
    assert "thrown away" in place.refusal(BadInputError)
    assert place.files() == []
    assert place.fetch().path.read_bytes() == LORA


def test_part_that_is_whole_or_too_long(place: Place) -> None:
    place.folder.mkdir()
    place.part().write_bytes(LORA)
    assert place.fetch().path.read_bytes() == LORA and not place.hubs.asked(R2)
    place.fetch().path.unlink()
    place.part().write_bytes(LORA + b"x" * 100_000)
    assert place.fetch().path.read_bytes() == LORA


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_part_that_is_a_link_is_not_written_through(place: Place, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    place.folder.mkdir()
    place.part().symlink_to(victim)
    assert "link to another place" in place.refusal(BadInputError)
    assert victim.read_bytes() == b"precious"


def test_two_downloads_of_one_file_do_not_mix(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.drip(LORA, 20_000, 0.05, announce=len(LORA))
    results: list[object] = []
    record = place.record()
    thread = threading.Thread(target=lambda: results.append(place.fetch(record)))
    thread.start()
    while not place.part().exists() or not place.part().stat().st_size:
        time.sleep(0.005)
    assert "being downloaded right now" in place.refusal(BadInputError, record=record)
    thread.join(20)
    assert isinstance(results[0], Fetched) and results[0].path.read_bytes() == LORA


def test_cancel_keeps_the_part(place: Place) -> None:
    class Impatient(RecordingObserver):
        def check_cancelled(self) -> None:
            if any(done > 20_000 for done, _ in self.of("progress")):
                raise Cancelled("stopped")

    place.hubs.at[SLOT] = lambda h: h.drip(LORA, 10_000, 0.01, announce=len(LORA))
    with pytest.raises(Cancelled):
        place.fetch(observer=Impatient())
    kept = place.part().stat().st_size
    assert 20_000 < kept < len(LORA)
    place.hubs.file(SLOT, LORA)
    assert place.fetch().resumed_bytes == kept


# -- slow, silent, endless --------------------------------------------------------------------------


def test_silence_is_given_up(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.drip(LORA, 30_000, 1.0, announce=len(LORA))
    assert "went silent" in place.refusal(BrokenOffError, silence_timeout_s=0.2, attempts=2)
    assert place.part().stat().st_size >= 30_000


def test_trickle_is_given_up(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.drip(LORA, 100, 0.05, announce=len(LORA))
    started = time.monotonic()
    said = place.refusal(BrokenOffError, slow_window_s=0.3, slow_bytes_per_s=1e6, attempts=1)
    assert "bytes a second" in said and time.monotonic() - started < 3


@pytest.mark.parametrize("hub", ["civitai", "huggingface"])
def test_endless_body_is_cut_and_thrown_away(place: Place, hub: str) -> None:
    endless = LORA + b"\0" * 3_000_000
    record = place.record()
    if hub == "huggingface":
        place.hubs.hugging_face({"a.safetensors": LORA})
        record = resolve("someone/anna", place.keys, place.hubs.policy())
    for where in (SLOT, f"{CDN}/{sha256(LORA)}"):
        place.hubs.at[where] = lambda h: h.drip(endless, 100_000, 0.0)
    assert "thrown away" in place.refusal(HubError, record=record)
    assert place.files() == []


def test_announced_size_that_is_not_the_records(place: Place) -> None:
    place.hubs.at[SLOT] = lambda h: h.reply(200, {"Content-Type": "x/y"}, b"x" * 10, length=10**15)
    assert "announces 1,000,000,000,000,000 bytes" in place.refusal(HubError)
    assert place.files() == []


# -- not the file that was promised -----------------------------------------------------------------


def test_wrong_hash_is_never_named(place: Place) -> None:
    changed = LORA[:-1] + bytes([LORA[-1] ^ 1])
    place.hubs.file(SLOT, changed)
    said = place.refusal(BadInputError)
    assert "not the file that Civitai has on record" in said and sha256(changed)[:12] in said
    assert place.files() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + b"\0" * 5000, "no safetensors file"),
        (b"\x80\x02}q\0" + b"\0" * 5000, "no safetensors file"),
        (b"MZ" + b"\0" * 5000, "no safetensors file"),
        (b"<html>log in</html>" * 99, "no safetensors file"),
        ((10**12).to_bytes(8, "little") + b"{" + b"\0" * 5000, "no safetensors file"),
        ((20).to_bytes(8, "little") + b"{not json at all....." + b"\0" * 500, "no JSON"),
        ((100_000).to_bytes(8, "little") + b"{" + b"[" * 99_999 + b"\0" * 100, "no JSON"),
        ((2).to_bytes(8, "little") + b"{}" + b"\0" * 5000, "no LoRA weights"),
        (lora_file(keys=("first_stage_model.encoder.weight",)), "no LoRA weights"),
        (lora_file()[:-8], "is cut off"),
        ((5000).to_bytes(8, "little") + b'{"lora": 1', "is no safetensors file"),
    ],
)
def test_content_that_is_no_lora_although_its_hash_is_right(place: Place, content: bytes, words: str) -> None:
    place.hubs.civitai(content)
    said = place.refusal(BadInputError)
    assert words in said or "is cut off" in said
    assert "'anna.safetensors'" in said and place.files() == []


def test_a_checkpoint_is_noticed_before_it_is_here(place: Place) -> None:
    checkpoint = lora_file(500_000, keys=("model.diffusion_model.out.weight",))
    place.hubs.civitai(checkpoint)
    place.hubs.at[SLOT] = lambda h: h.drip(checkpoint, 50_000, 0.05, announce=len(checkpoint))
    observer = RecordingObserver()
    assert "no LoRA weights" in place.refusal(BadInputError, observer=observer)
    assert all(done < 500_000 for done, _ in observer.of("progress"))


def test_login_page_and_json_instead_of_a_file(place: Place) -> None:
    """Civitai's answer to a download without a key, in its several forms."""
    where = "civitai.com/api/download/models/7"
    record = place.record()
    place.hubs.json(where, {"error": "Unauthorized", "message": "The creator requires a login"}, status=401)
    said = place.refusal(BadInputError, record=record)
    assert "a key is needed" in said and "CIVITAI_API_KEY" in said and "Unauthorized" in said
    place.hubs.redirect(where, "/login?returnUrl=%2Fmodels%2F5&reason=download-auth")
    assert "a key is needed" in place.refusal(BadInputError, record=record)
    place.hubs.json(where, {"error": "Unauthorized"}, status=200)
    assert "instead of 'anna.safetensors'" in place.refusal(HubError, record=record)
    place.hubs.at[where] = lambda h: h.reply(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>")
    assert "a page (text/html)" in place.refusal(HubError, record=record)
    place.hubs.at[where] = lambda h: h.reply(200, {"Content-Type": "x/y", "Content-Encoding": "gzip"}, b"x")
    assert "a packed file" in place.refusal(HubError, record=record)
    for status, kind in ((404, BadInputError), (403, BadInputError), (500, HubError), (202, HubError)):
        place.hubs.json(where, {}, status=status)
        assert f"status {status}" in place.refusal(kind, record=record)
    assert place.files() == []


@pytest.mark.parametrize(
    "to",
    ["https://evil.example/x", "http://b2.civitai.com/x", "https://10.0.0.1/x", "https://huggingface.co/x",
     "https://localhost/x", "https://b2.civitai.com:8443/x"],
)  # fmt: skip
def test_redirect_to_a_stranger(place: Place, to: str) -> None:
    place.hubs.redirect("civitai.com/api/download/models/7", to)
    place.refusal(RefusedError)
    assert not place.hubs.asked("evil") and place.files() == []


def test_key_does_not_come_back_after_a_detour(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """hub -> store -> hub: the last hop is the hub itself and may see the key; the store never does."""
    monkeypatch.setenv("CIVITAI_API_KEY", "civitai-secret")
    place.hubs.redirect("civitai.com/api/download/models/7", "https://b2.civitai.com/detour")
    place.hubs.redirect("b2.civitai.com/detour", f"https://{R2}/5/anna")
    place.fetch()
    seen = {s.host: s.headers.get("authorization") for s in place.hubs.seen}
    assert seen["b2.civitai.com"] is None and seen[R2] is None


# -- the user's own side ----------------------------------------------------------------------------


def test_dangerous_and_oversized_files_are_not_asked_for(place: Place) -> None:
    record = replace(place.record(), scan="danger", scan_text="virus scan: Danger")
    assert "virus scan: Danger" in place.refusal(BadInputError, record=record)
    record = replace(place.record(), bytes=10**12)
    assert "Is it a checkpoint?" in place.refusal(BadInputError, record=record)
    assert not place.hubs.asked("download")


def test_no_space(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(place.keys)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    said = place.refusal(BadInputError)
    assert "100 kB left" in said and "160 kB" in said
    assert not place.hubs.asked("download") and place.files() == []


def test_disk_that_fills_up_on_the_way(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = part_module.Part.write

    def write(self: Any, block: bytes) -> None:
        if self.bytes > 50_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, block)

    monkeypatch.setattr(part_module.Part, "write", write)
    assert "The disk is full" in place.refusal(BadInputError)
    assert place.files() == [place.part().name]


def test_folder_that_cannot_be_written(place: Place) -> None:
    place.folder.write_bytes(b"a file, not a folder")
    assert "Cannot write" in place.refusal(BadInputError)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../../x", "con", "x" * 300])
def test_names_that_leave_the_folder(place: Place, name: str) -> None:
    with pytest.raises(BadInputError):
        place.fetch(name=name)
    assert not place.hubs.asked("download")


@pytest.mark.parametrize("name", ["../../evil.safetensors", "C:\\evil.safetensors", "e\u202evil\n.safetensors"])
def test_hostile_names_from_the_hub(place: Place, name: str) -> None:
    place.hubs.civitai(LORA, file={"name": name})
    assert place.fetch().path == place.folder.resolve() / "evil.safetensors"
