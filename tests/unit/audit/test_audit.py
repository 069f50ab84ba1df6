"""The whole audit on files: every class of bad photo, the cache, and bad folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from drawn_photos import blurred, bomb, portrait, save, scaled
from PIL import ImageOps

from lora_train.audit import Limits, cache
from lora_train.audit import audit as audit_with
from lora_train.audit.report import as_report, as_text
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import Scan, scan
from lora_train.errors import BadInputError, Cancelled
from lora_train.observer import NullObserver, Observer, RecordingObserver

LIMITS = Limits.for_resolution(256)


def audit(found: Path | Scan, observer: Observer | None = None) -> Dataset:
    return audit_with(found, LIMITS, observer, analyzer=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six good photos and one of every kind of bad one."""
    at = tmp_path_factory.mktemp("photos")
    for i in range(6):
        save(portrait(i), at / f"good_{i}.jpg")
    shutil.copy(at / "good_0.jpg", at / "x_copy.jpg")
    save(portrait(1).resize((240, 240)), at / "x_resaved.jpg", quality=60)
    save(ImageOps.mirror(portrait(2)).resize((200, 200)), at / "x_mirror.png")
    save(blurred(portrait(20), 6), at / "x_blurred.jpg")
    save(scaled(portrait(21), 0.2), at / "x_dark.jpg")
    save(scaled(portrait(22), 3), at / "x_bright.jpg")
    save(portrait(23, (100, 150)), at / "x_small.jpg")
    (at / "x_zero.jpg").write_bytes(b"")
    (at / "x_text.jpg").write_text("no image")
    data = (at / "good_3.jpg").read_bytes()
    (at / "x_half.jpg").write_bytes(data[: len(data) // 2])
    bomb(at / "x_bomb.png")
    return at


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_every_class_is_found_and_nothing_else(folder: Path) -> None:
    dataset = audit(folder)
    assert {e.name: e.codes() for e in dataset.rejected} == {
        "x_copy.jpg": ("duplicate",),
        "x_resaved.jpg": ("duplicate",),
        "x_mirror.png": ("duplicate",),
        "x_blurred.jpg": ("blurry",),
        "x_dark.jpg": ("too_dark",),
        "x_bright.jpg": ("too_bright",),
        "x_small.jpg": ("too_small",),
    }
    assert {u.path.name for u in dataset.unreadable} == {
        "x_zero.jpg",
        "x_text.jpg",
        "x_half.jpg",
        "x_bomb.png",
    }
    assert [e.name for e in dataset.kept] == [f"good_{i}.jpg" for i in range(6)]
    assert [w.code for w in dataset.warnings] == ["too_few"]
    assert Dataset.from_json(dataset.to_json()) == dataset


def test_photos_are_not_touched(folder: Path) -> None:
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    audit(folder)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before


def test_the_second_time_nothing_is_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audit(folder)

    def fail(_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("lora_train.audit.look.measure_image", fail)
    # A truncated photo has no scores to remember, so it is left out here.
    found = scan(folder)
    known = type(found)(found.folder, tuple(p for p in found.photos if p.name != "x_half.jpg"))
    assert audit(known).entries == first.entries


@pytest.mark.parametrize("content", ["", "{", '{"kind": "other"}'])
def test_a_broken_cache_is_rebuilt(folder: Path, own_cache: Path, content: str) -> None:
    first = audit(folder)
    files = list(own_cache.rglob("*.json"))
    assert files
    for path in files:
        path.write_text(content)
    assert audit(folder) == first
    assert all(len(p.read_text()) > 100 for p in files)


def test_a_cache_with_broken_values_is_rebuilt(folder: Path, own_cache: Path) -> None:
    first = audit(folder)
    for path in own_cache.rglob("*.json"):
        path.write_text(path.read_text().replace('"thumb_hex": "', '"thumb_hex": "zz'))
    assert audit(folder) == first


def test_a_cache_that_cannot_be_written_costs_a_message_only(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_cache.write_text("a file where the folder should be")
    seen = RecordingObserver()
    assert len(audit(folder, observer=seen).kept) == 6
    assert len(seen.of("message")) == 1


def test_cached_scores_are_found_by_content(folder: Path, tmp_path: Path) -> None:
    audit(folder)
    moved = shutil.copy(folder / "good_4.jpg", tmp_path / "other name.jpg")
    photo = scan(Path(moved).parent).photos[0]
    assert cache.cached(photo.sha256) is not None


def test_only_truncated_photos(folder: Path, tmp_path: Path) -> None:
    at = tmp_path / "in"
    at.mkdir()
    shutil.copy(folder / "x_half.jpg", at)
    with pytest.raises(BadInputError, match="None of the photos .* damaged"):
        audit(at)


def test_cancelling(folder: Path) -> None:
    class Stop(NullObserver):
        def check_cancelled(self) -> None:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        audit(scan(folder), observer=Stop())


def test_report_names_every_file_with_its_reasons(folder: Path) -> None:
    report = as_report(audit(folder))
    photos = {Path(p["path"]).name: p for p in report["photos"]}
    assert len(photos) == report["total"] == len(list(folder.iterdir()))
    assert photos["x_zero.jpg"]["keep"] is False
    assert photos["x_zero.jpg"]["reasons"][0]["code"] == "unreadable"
    assert set(photos["x_dark.jpg"]["reasons"][0]) >= {"code", "value", "limit", "text"}
    assert photos["good_0.jpg"]["scores"]["blur_px"] > 0
    assert [g["kind"] for g in report["dataset"]["groups"]] == ["duplicate"] * 3
    text = as_text(report)
    assert all(name in text for name in photos if name.startswith("x_"))
    assert text.endswith(report["summary"])
