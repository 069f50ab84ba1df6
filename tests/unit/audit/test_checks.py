"""A part of the audit costs a part, says the same as the whole about it, and is never taken for the whole."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from drawn_photos import portrait, save
from PIL import Image, ImageFilter
from PIL.JpegImagePlugin import JpegImageFile

from lora_train.audit import CHECKS, Asked, audit, gather
from lora_train.audit import look as module
from lora_train.audit.cache import cached
from lora_train.audit.measure import MEASURES
from lora_train.audit.rules import CODES, RULES
from lora_train.dataset.hashes import distance, likeness
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError

PIXELS = sorted(Asked().pixels)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good photos, a copy of one, a blurred, a dark and a small one."""
    at = tmp_path_factory.mktemp("photos")
    big = portrait(1, (500, 375)).resize((1600, 1200), Image.Resampling.LANCZOS)
    save(big, at / "a.jpg")
    save(big.resize((1200, 900)), at / "copy.png")
    save(portrait(2, (400, 400)), at / "b.jpg")
    save(portrait(3, (400, 400)).filter(ImageFilter.GaussianBlur(6)), at / "blurred.jpg")
    save(portrait(4, (400, 400)).point(lambda v: v // 16), at / "dark.jpg")
    save(portrait(5, (200, 200)), at / "small.jpg")
    return at


@pytest.fixture
def folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The photos, and nothing remembered about them."""
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))
    return photos


def part(folder: Path, *only: str) -> Dataset:
    return audit(folder, analyzer=None, only=only or None)


def rejected(data: Dataset) -> dict[str, tuple[str, ...]]:
    return {e.name: e.codes() for e in data.entries if e.codes()}


def test_every_measure_and_every_rule_belongs_to_one_check() -> None:
    of = [m for check in CHECKS.values() for m in check.measures]
    assert sorted(of) == sorted(MEASURES)
    assert {rule.check for rule in RULES} | {"duplicates"} == set(CHECKS)
    assert all(rule.check == {"words": "words"}.get(rule.needs, "faces") for rule in RULES if rule.needs != "pixels")


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("size", {"small.jpg": ("too_small",)}),
        ("sharpness", {"blurred.jpg": ("blurry",)}),
        ("light", {"dark.jpg": ("too_dark",)}),
        ("duplicates", {"copy.png": ("duplicate",)}),
    ],
)
def test_a_part_finds_what_the_whole_finds_and_nothing_else(
    folder: Path, only: str, found: dict[str, tuple[str, ...]]
) -> None:
    assert rejected(part(folder, only)) == found
    whole = rejected(part(folder))
    assert all(set(codes) <= set(whole[name]) for name, codes in found.items())


def test_what_was_not_asked_is_not_judged_and_never_good(folder: Path) -> None:
    data = part(folder, "duplicates")
    listed = {n.code: n.text for n in data.not_judged}
    assert set(listed) == set(CODES) - {"unreadable", "duplicate"}
    assert all(text.endswith("not judged, it was not asked for.") for text in listed.values())
    assert {s.state for s in data.stats} == {"not measured"}
    assert (data.score, data.score_max, data.next_steps) == (0, 0, ()), "no points for what nobody looked at"
    assert "duplicate" in {n.code for n in part(folder, "light").not_judged}
    assert "duplicate" not in {n.code for n in part(folder).not_judged}


def test_the_picture_is_decoded_as_small_as_the_question_allows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: set[tuple[int, int]] = set()  # photos are read side by side: the order says nothing
    real = JpegImageFile.draft

    def draft(self: JpegImageFile, *arguments: object) -> object:
        answer = real(self, *arguments)  # type: ignore[arg-type]
        if Path(str(self.filename)).name == "a.jpg":
            sizes.add(self.size)
        return answer

    monkeypatch.setattr(JpegImageFile, "draft", draft)
    for only, expected in (("duplicates", (200, 150)), ("light", (400, 300)), ("sharpness", (1600, 1200))):
        sizes.clear()
        part(folder, only)
        assert sizes == {expected}, only


def test_sizes_need_no_pixel_at_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, side_px: int) -> Image.Image:
        raise AssertionError(f"{path} decoded")

    monkeypatch.setattr(module, "open_decoded", fail)
    assert rejected(part(folder, "size")) == {"small.jpg": ("too_small",)}


def test_a_small_decode_has_the_same_fingerprint(folder: Path) -> None:
    small, _ = gather(scan(folder), analyzer=None, asked=Asked.of(["duplicates"]))
    whole, _ = gather(scan(folder), analyzer=None)
    for a, b in zip(small.items, whole.items, strict=True):
        assert distance(a.measured.phash, b.measured.phash) <= 2, a.photo.name
        assert likeness(a.measured.thumb, b.measured.thumb) > 0.99
        assert a.measured.scores == {} and a.measured.colours_hex == ""


def test_a_part_in_the_cache_is_not_taken_for_the_whole(folder: Path) -> None:
    fresh = part(folder)
    part(folder, "duplicates")
    part(folder, "light", "duplicates")
    assert part(folder) == fresh
    photo = scan(folder).photos[0]
    duplicates, both, whole = (cached(photo.sha256, a) for a in (
        Asked.of(["duplicates"]), Asked.of(["light", "duplicates"]), Asked()))  # fmt: skip
    assert duplicates and both and whole
    assert set(duplicates.scores) < set(both.scores) < set(whole.scores)
    assert cached(photo.sha256, Asked.of(["noise"])) is None


def test_no_two_questions_share_a_place_in_the_cache() -> None:
    questions = [names for n in range(1, len(PIXELS) + 1) for names in combinations(PIXELS, n)]
    assert len({Asked.of(names).key for names in questions}) == len(questions)
    assert Asked.of([*PIXELS, "faces"]).key == Asked().key == "whole"
    assert Asked.of(["light", "faces"]).key != Asked.of(["light"]).key, "another decoding, other numbers"


@pytest.mark.parametrize("names", [["beauty"], [], ["light", "Size"]])
def test_a_check_that_does_not_exist_is_refused_with_the_list(folder: Path, names: list[str]) -> None:
    with pytest.raises(BadInputError, match=r"Choose from: size, sharpness, .*duplicates, faces, words\."):
        audit(folder, only=names)


def test_a_cache_waits_for_no_disk_and_half_a_file_in_it_is_made_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise AssertionError("the audit waited for the disk")

    monkeypatch.setattr("lora_train.files.os.fsync", fsync)
    first = part(folder)
    files = list((tmp_path / "cache").rglob("*.json"))
    assert len(files) == 6, "one for each photo"
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert part(folder) == first
