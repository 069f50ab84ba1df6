"""What is looked at once is not looked at again, layer by layer, and memory does not grow with the folder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from drawn_photos import portrait, save
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lora_train.audit import Evidence, Tagger, gather
from lora_train.audit import look as module
from lora_train.audit.frame import DECODED_SIDE_PX, fitted, open_decoded, open_frame
from lora_train.audit.look import AHEAD
from lora_train.audit.tags.questions import calibration_of, load_tag_questions
from lora_train.dataset.scan import scan
from lora_train.faces.types import Face, People
from lora_train.observer import NullObserver


class Analyzer:
    """Sees one face in the middle; counts its looks and whether two happen at once."""

    id, title, measures = "made-1", "made", frozenset({"yaw_deg"})

    def __init__(self) -> None:
        self.looks, self.inside, self.at_once = 0, 0, 0
        self._lock = threading.Lock()

    def look(self, image: Image.Image) -> People:
        with self._lock:
            self.looks += 1
            self.inside += 1
            self.at_once = max(self.at_once, self.inside)
        found = People(self.id, (Face((0.35, 0.2, 0.65, 0.5), 0.9, yaw_deg=3.0),))
        with self._lock:
            self.inside -= 1
        return found


class Embedder:
    """Unit vectors from the mean colours; counts the pictures."""

    scale = 100.0
    calibration = None

    def __init__(self) -> None:
        self.pictures, self.largest = 0, 0

    def images(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.pictures += len(images)
        self.largest = max(self.largest, *(max(i.size) for i in images))
        rows = np.stack([np.asarray(i.resize((2, 2)), np.float32).ravel() for i in images])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.stack([np.random.default_rng(len(t)).normal(size=12) for t in texts]).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def tagger(embedder: Embedder, name: str = "made") -> Tagger:
    return Tagger(name, embedder, load_tag_questions(), calibration_of(name), (32, 32))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))
    for i in range(20):
        save(portrait(i, (96, 96)), tmp_path / "photos" / f"{i:02}.jpg")
    return tmp_path / "photos"


def look(folder: Path, analyzer: Analyzer | None, embedder: Embedder | None) -> list[Evidence]:
    found, broken = gather(scan(folder), analyzer=analyzer, tagger=embedder and tagger(embedder))  # type: ignore[arg-type]
    assert broken == ()
    return list(found.items)


def test_nothing_is_looked_at_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analyzer, embedder = Analyzer(), Embedder()
    first = look(folder, analyzer, embedder)
    assert (analyzer.looks, embedder.pictures) == (20, 3 * 20)  # whole, face, upper body

    def fail(path: Path, side_px: int) -> Image.Image:
        raise AssertionError(f"{path} decoded again")

    monkeypatch.setattr(module, "open_decoded", fail)
    second = look(folder, analyzer, embedder)
    assert (analyzer.looks, embedder.pictures) == (20, 60)
    assert second == first
    assert all(np.array_equal(a.clothes, b.clothes) for a, b in zip(first, second, strict=True))


def test_each_layer_has_its_own_memory(folder: Path) -> None:
    alone = look(folder, None, None)
    assert all(e.people is None and e.answers is None and "yaw_deg" not in e.scores for e in alone)
    analyzer, embedder = Analyzer(), Embedder()
    faces = look(folder, analyzer, None)
    assert analyzer.looks == 20 and all(e.scores["yaw_deg"] == 3.0 for e in faces)
    assert [e.measured for e in faces] == [e.measured for e in alone]
    both = look(folder, analyzer, embedder)
    assert analyzer.looks == 20 and embedder.pictures == 60
    assert all(set(e.answers or {}) >= {"mirror_selfie", "smile", "indoor"} for e in both)
    other = Embedder()
    found, _ = gather(scan(folder), analyzer=analyzer, tagger=tagger(other, "another"))  # type: ignore[arg-type]
    assert other.pictures == 60 and len(found) == 20


def test_a_new_analyzer_moves_the_regions(folder: Path) -> None:
    embedder, other = Embedder(), Analyzer()
    look(folder, Analyzer(), embedder)
    other.id = "made-2"
    look(folder, other, embedder)
    assert other.looks == 20 and embedder.pictures == 120


def test_analyzers_look_at_one_photo_at_a_time(folder: Path) -> None:
    analyzer = Analyzer()
    look(folder, analyzer, None)
    assert analyzer.at_once == 1


def test_the_model_gets_small_pictures(folder: Path) -> None:
    embedder = Embedder()
    look(folder, None, embedder)
    assert embedder.largest <= 64


def test_only_a_few_photos_are_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    taken: list[int] = []
    real = module.look_at_photo

    def counted(photo: object, lookers: object) -> object:
        started.append(photo.name)  # type: ignore[attr-defined]
        return real(photo, lookers)  # type: ignore[arg-type]

    class Watch(NullObserver):
        def progress(self, done: int, total: int) -> None:
            taken.append(len(started) - done)

    monkeypatch.setattr(module, "look_at_photo", counted)
    gather(scan(folder), Watch(), analyzer=None)
    assert len(taken) == 40 // 2 and max(taken) <= AHEAD


def test_large_jpegs_are_decoded_at_reduced_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(portrait(1, (1000, 750)).resize((4000, 3000)), tmp_path / "12mp.jpg")
    decoded: list[tuple[int, int]] = []
    real = JpegImageFile.draft

    def draft(self: JpegImageFile, *arguments: object) -> object:
        answer = real(self, *arguments)  # type: ignore[arg-type]
        decoded.append(self.size)
        return answer

    monkeypatch.setattr(JpegImageFile, "draft", draft)
    picture = open_decoded(path)
    assert picture.size == (2000, 1500) and max(fitted(picture).size) == DECODED_SIDE_PX
    assert decoded == [(2000, 1500)], "a quarter of the pixels"
    frame = open_frame(path, picture)
    assert max(frame.working.shape) == 1024 and frame.middle is None
