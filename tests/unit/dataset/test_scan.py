"""From a folder to photo records."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from drawn_photos import bomb, portrait, save

from lora_train.dataset.scan import fingerprint, natural_key, scan
from lora_train.errors import BadInputError, Cancelled
from lora_train.observer import NullObserver, RecordingObserver


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="There is no folder"):
        scan(tmp_path / "nope")


def test_file_instead_of_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is a file"):
        scan(save(portrait(1, (32, 32)), tmp_path / "a.jpg"))


def test_empty_folder_names_its_sub_folders(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is empty"):
        scan(tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(BadInputError, match="holds 1 folder"):
        scan(tmp_path)


def test_folder_without_photos(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(BadInputError, match="No photo among the 1 files"):
        scan(tmp_path)


def test_only_unreadable_photos(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(BadInputError, match="None of the 1 files .* empty"):
        scan(tmp_path)


def test_order_is_natural_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    for name in ("img10.jpg", "img2.jpg", "IMG1.JPG", "._img3.jpg", ".hidden.png"):
        save(portrait(1, (32, 32)), tmp_path / name)
    assert [p.name for p in scan(tmp_path).photos] == ["IMG1.JPG", "img2.jpg", "img10.jpg"]


def test_bad_files_do_not_stop_the_scan(tmp_path: Path) -> None:
    save(portrait(1, (32, 32)), tmp_path / "good.jpg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("no")
    bomb(tmp_path / "bomb.png")
    found = scan(tmp_path)
    assert [p.name for p in found.photos] == ["good.jpg"]
    assert {u.path.name for u in found.unreadable} == {"empty.jpg", "text.png", "bomb.png"}


def test_scan_reports_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    save(portrait(1, (32, 32)), tmp_path / "a.jpg")
    seen = RecordingObserver()
    scan(tmp_path, seen)
    assert seen.of("stage") == ["scan"]
    assert seen.of("progress") == [(1, 1)]

    class Stop(NullObserver):
        def check_cancelled(self) -> None:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        scan(tmp_path, Stop())


def test_scan_leaves_the_folder_alone(tmp_path: Path) -> None:
    save(portrait(1, (64, 64)), tmp_path / "a.jpg")
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    scan(tmp_path)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before


def test_fingerprint_follows_names_sizes_and_times(tmp_path: Path) -> None:
    marks = [fingerprint(tmp_path / "missing"), fingerprint(tmp_path)]
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1")
    marks.append(fingerprint(tmp_path))
    os.utime(path, ns=(1, 1))
    marks.append(fingerprint(tmp_path))
    path.rename(tmp_path / "b.jpg")
    marks.append(fingerprint(tmp_path))
    assert len(set(marks)) == 5
    assert fingerprint(tmp_path) == marks[-1]


def test_natural_key_is_a_total_order() -> None:
    names = ["b", "a10", "a2", "A2", "1", "10", "2", "a"]
    assert sorted(names, key=natural_key) == ["1", "2", "10", "a", "A2", "a2", "a10", "b"]
