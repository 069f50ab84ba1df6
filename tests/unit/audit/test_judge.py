"""Scores and limits to verdicts, without a pixel."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import time
from pathlib import Path

import numpy as np
import pytest

from lora_train.audit import DEFAULT_LIMITS, Evidence, EvidenceSet, Judgement, Limits
from lora_train.audit import judge as judge_evidence
from lora_train.audit.measure import Measured
from lora_train.dataset.photo import Photo

GOOD = {"blur_px": 1.0, "light": 0.5, "burnt_share": 0.0, "shadow_light": 0.05}
RNG = np.random.default_rng(0)


def judge(items: list[tuple[Photo, Measured]], limits: Limits) -> Judgement:
    return judge_evidence([Evidence(p, m) for p, m in items], limits)


def photo(name: str, side_px: int = 512, **fields: object) -> Photo:
    content = hashlib.sha256(name.encode()).hexdigest()
    return Photo(Path("/p") / name, **{"sha256": content, "width_px": side_px, "height_px": side_px,
                                       "format": "JPEG", **fields})  # type: ignore[arg-type]  # fmt: skip


def scores(pixels: str = "", *, phash: int | None = None, **changed: float) -> Measured:
    """Measured of its own random look, but for what is given."""
    words = [int(RNG.integers(0, 2**63)) for _ in range(2)]
    return Measured(
        {**GOOD, **changed},
        pixels or RNG.bytes(8).hex(),
        f"{words[0] if phash is None else phash:016x}",
        f"{words[1]:016x}",
        RNG.bytes(768).hex(),
        RNG.bytes(384).hex(),
    )


def codes(item: tuple[Photo, Measured], limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    return judge([item], limits).entries[0].codes()


def test_a_good_photo_is_kept_without_reasons() -> None:
    entry = judge([(photo("a.jpg"), scores())], DEFAULT_LIMITS).entries[0]
    assert entry.keep and not entry.reasons
    assert entry.scores["side_px"] == 512


@pytest.mark.parametrize(
    ("change", "code"),
    [({"blur_px": 2.51}, "blurry"), ({"light": 0.049}, "too_dark"), ({"burnt_share": 0.36}, "too_bright"),
     ({"shadow_light": 0.36}, "too_bright")],
)  # fmt: skip
def test_each_limit(change: dict[str, float], code: str) -> None:
    item = (photo("a.jpg"), scores(**change))
    assert codes(item) == (code,)
    reason = judge([item], DEFAULT_LIMITS).entries[0].reasons[0]
    assert (reason.value, reason.severity) == (next(iter(change.values())), "reject")
    assert reason.text


def test_exactly_at_the_limit_is_kept() -> None:
    at = {"blur_px": 2.5, "light": 0.05, "burnt_share": 0.35, "shadow_light": 0.35}
    assert codes((photo("a.jpg", 384), scores(**at))) == ()


def test_size_follows_the_training_resolution() -> None:
    item = (photo("a.jpg", 200), scores())
    assert codes(item) == ("too_small",)
    assert codes(item, Limits.for_resolution(96)) == ()
    assert Limits.for_resolution(96).min_side_px == 128
    assert Limits.for_resolution(512) == DEFAULT_LIMITS


def test_a_code_is_given_once_and_all_faults_are_named() -> None:
    bad = scores(blur_px=9.0, burnt_share=0.9, shadow_light=0.9)
    assert codes((photo("a.jpg", 100), bad)) == ("too_small", "blurry", "too_bright")


def test_the_same_file_twice() -> None:
    one = photo("a.jpg")
    same = scores()
    verdict = judge([(one, same), (dataclasses.replace(one, path=Path("/p/b.jpg")), same)], DEFAULT_LIMITS)
    first, second = verdict.entries
    assert first.keep and second.codes() == ("duplicate",)
    assert second.reasons[0].text == "The same file as 'a.jpg'."
    assert (first.group, second.group) == (1, 1)
    group = verdict.groups[0]
    assert (group.kind, group.members, group.keeper) == ("duplicate", ("a.jpg", "b.jpg"), "a.jpg")


def test_the_same_pixels_with_other_metadata() -> None:
    items = [(photo("a.jpg"), BASE), (photo("b.jpg"), BASE)]
    assert "metadata" in judge(items, DEFAULT_LIMITS).entries[1].reasons[0].text


def near(bits: int, **changed: float) -> Measured:
    """Like :data:`BASE`, with ``bits`` of its hash flipped."""
    return dataclasses.replace(BASE, pixels=RNG.bytes(8).hex(), scores={**GOOD, **changed},
                               phash_hex=f"{BASE.phash ^ ((1 << bits) - 1):016x}")  # fmt: skip


BASE = scores("base", phash=0x0123456789ABCDEF)


def test_the_sharper_of_two_near_copies_is_kept() -> None:
    verdict = judge([(photo("a.jpg"), near(4, blur_px=2.0)), (photo("b.jpg"), near(0))], DEFAULT_LIMITS)
    soft, sharp = verdict.entries
    assert sharp.keep and soft.codes() == ("duplicate",)
    assert (soft.reasons[0].value, soft.reasons[0].limit) == (4, 10)
    assert "'b.jpg'" in soft.reasons[0].text


def test_the_larger_of_two_near_copies_is_kept() -> None:
    verdict = judge([(photo("a.jpg", 512), near(2)), (photo("b.jpg", 1024), near(0))], DEFAULT_LIMITS)
    assert [e.keep for e in verdict.entries] == [False, True]


def test_a_faulty_photo_never_wins_over_its_good_copy() -> None:
    dark = near(0, light=0.01, blur_px=0.5)
    verdict = judge([(photo("a.jpg", 1024), dark), (photo("b.jpg"), near(3))], DEFAULT_LIMITS)
    assert [e.keep for e in verdict.entries] == [False, True]


def test_of_equal_copies_the_one_with_a_caption_is_kept() -> None:
    items = [(photo("a.jpg"), near(1)), (photo("b.jpg", caption="me"), near(0))]
    assert [e.keep for e in judge(items, DEFAULT_LIMITS).entries] == [False, True]


def test_a_near_hash_alone_is_no_copy() -> None:
    other = dataclasses.replace(near(3), thumb_hex=RNG.bytes(768).hex())
    assert all(e.keep for e in judge([(photo("a.jpg"), BASE), (photo("b.jpg"), other)], DEFAULT_LIMITS).entries)


@pytest.mark.parametrize(("bits", "kept"), [(10, False), (11, True), (40, True)])
def test_the_distance_limit(bits: int, kept: bool) -> None:
    verdict = judge([(photo("a.jpg"), BASE), (photo("b.jpg"), near(bits))], DEFAULT_LIMITS)
    assert verdict.entries[1].keep is kept


def test_a_burst_reaches_further_but_only_by_the_clock() -> None:
    def verdict(second: str | None) -> bool:
        items = [
            (photo("a.jpg", taken="2024:01:01 10:00:00"), BASE),
            (photo("b.jpg", taken=second), near(14)),
        ]
        return judge(items, DEFAULT_LIMITS).entries[1].keep

    assert verdict("2024:01:01 10:00:40") is False
    assert verdict("2024:01:01 10:05:00") is True
    assert verdict(None) is True
    assert verdict("0000:00:00 00:00:00") is True


def test_a_mirror_image_is_a_copy() -> None:
    flipped = dataclasses.replace(
        scores(phash=0x00FF00FF00FF00FF),
        mirror_hex=BASE.phash_hex,
        thumb_hex=BASE.thumb[:, ::-1].tobytes().hex(),
    )
    verdict = judge([(photo("a.jpg"), BASE), (photo("b.jpg"), flipped)], DEFAULT_LIMITS)
    assert verdict.entries[1].reasons[0].text.startswith("Mirror image of 'a.jpg'")


def test_small_steps_do_not_chain_into_one_group() -> None:
    items = [(photo(f"{i}.jpg"), near(8 * i)) for i in range(5)]  # 8 bits to the next, 32 from end to end
    kept = [e.name for e in judge(items, DEFAULT_LIMITS).entries if e.keep]
    assert kept == ["0.jpg", "2.jpg", "4.jpg"]


@pytest.mark.parametrize(
    ("count", "code", "words"),
    [(9, "too_few", "Only 9 .* at least 1 more"), (10, "minimum", r"10 usable .* minimum \(10 to 14\)"),
     (14, "minimum", "14"), (15, "below_best", "20 to 30"), (19, "below_best", "19"),
     (20, None, ""), (50, None, ""),
     (51, "too_many", "more than 50")],
)  # fmt: skip
def test_the_number_of_photos(count: int, code: str | None, words: str) -> None:
    verdict = judge([(photo(f"{i}.jpg"), scores()) for i in range(count)], DEFAULT_LIMITS)
    found = [w for w in verdict.warnings if w.code != "same_background"]
    assert [w.code for w in found] == ([code] if code else [])
    if code:
        assert re.search(words, found[0].text)


def test_one_place_is_a_warning_and_rejects_nobody() -> None:
    place = scores()
    look = {"thumb_hex": place.thumb_hex, "colours_hex": place.colours_hex}
    items = [(photo(f"{i}.jpg"), dataclasses.replace(scores(), **look)) for i in range(4)]
    verdict = judge([*items, (photo("else.jpg"), scores())], DEFAULT_LIMITS)
    assert all(e.keep for e in verdict.entries)
    group = verdict.groups[0]
    assert (group.kind, len(group.members), group.keeper) == ("same_background", 4, "0.jpg")
    assert "4 of 5 photos" in next(w.text for w in verdict.warnings if w.code == "same_background")
    assert [e.codes("warn") for e in verdict.entries] == [("same_background",)] * 4 + [()]


def test_moving_a_limit_judges_a_thousand_photos_in_50_ms() -> None:
    found = EvidenceSet.of(Evidence(photo(f"{i}.jpg"), scores()) for i in range(1000))
    judge_evidence(found, DEFAULT_LIMITS)
    seconds = []
    for limit in (0.5, 0.6, 0.7, 0.8):  # everything is blurry: the most to write
        started = time.process_time()
        verdict = judge_evidence(found, DEFAULT_LIMITS.replace(max_blur_px=limit))
        seconds.append(time.process_time() - started)
        assert not any(e.keep for e in verdict.entries)
    assert min(seconds) < 0.05
