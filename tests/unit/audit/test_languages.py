"""What an audit wrote in one language is read in another."""

from __future__ import annotations

import json
import re
from pathlib import Path

from made_evidence import evidence, face

from lora_train.audit import DEFAULT_LIMITS, judge
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.photo import Unreadable
from lora_train.say import Said, say, speaking

LETTERS = re.compile(r"[A-Za-z]{2,}")


def judged() -> Dataset:
    """Twelve photos: one too small, four of one place, two without open eyes."""
    items = [evidence(f"{i}.jpg", face(0.2 + 0.02 * i, eyes_open=0.05 if i in (3, 4) else 0.3)) for i in range(12)]
    verdict = judge(items, DEFAULT_LIMITS)
    return Dataset(Path("photos"), verdict.entries, (), verdict.warnings, groups=verdict.groups, stats=verdict.stats,
                   not_judged=verdict.not_judged, next_steps=verdict.next_steps)  # fmt: skip


def test_a_manifest_written_in_english_is_read_in_russian(tmp_path: Path) -> None:
    with speaking("en"):
        data = judged()
        data.save(tmp_path / "set.json")
        assert data.summary() == "10 of 12 photos kept; left out: 2 eyes closed."
    with speaking("ru"):
        again = Dataset.load(tmp_path / "set.json")
        assert again.summary() == "Оставлено 10 из 12 фотографий; исключено: закрытые глаза — 2."
        reason = again.entry("3.jpg").reasons[0]
        assert reason.text.startswith("Закрытые глаза: веки разведены на 0,05 ширины глаза")
        nested = next(n for n in again.not_judged if n.code == "mirror_selfie")
        assert nested.text == f"Селфи в зеркале: не оценено, {nested.why}" and nested.why.startswith(
            "нужна модель CLIP"
        )
        shares = {s.code: s for s in again.stats}
        assert shares["photos"].text.startswith("10 годных фотографий — это минимум")
        assert shares["photos"].title == "годные фотографии"
    with speaking("zh"):
        assert Dataset.load(tmp_path / "set.json").summary() == "12 张照片中保留 10 张；排除：闭眼 2。"
    assert Dataset.load(tmp_path / "set.json") == data, "reading it back in its own language changes nothing"


def test_the_file_holds_no_sentence(tmp_path: Path) -> None:
    data = judged()
    data.save(tmp_path / "set.json")
    kept = json.loads((tmp_path / "set.json").read_text("utf-8"))
    texts = [row["text"] for name in ("warnings", "groups", "stats", "not_judged") for row in kept[name]]
    texts += [r["text"] for e in kept["entries"] for r in e["reasons"]] + kept["next_steps"]
    assert texts and all(set(text) == {"key", "values"} for text in texts)


def test_numbers_choose_their_words() -> None:
    with speaking("ru"):
        said = [say("audit.count_good", count=n) for n in (1, 3, 5, 21, 112)]
    words = ["годная фотография", "годные фотографии", "годных фотографий", "годная фотография", "годных фотографий"]
    assert said == [f"{n} {word}." for n, word in zip((1, 3, 5, 21, 112), words, strict=True)]


def test_a_file_that_cannot_be_read_keeps_its_reason_as_a_message() -> None:
    data = Dataset(Path("photos"), (), (Unreadable(Path("a.jpg"), say("audit.copy_pixels", name="b.jpg")),))
    with speaking("zh"):
        again = Dataset.from_json(json.loads(json.dumps(data.to_json())))
    assert isinstance(again.unreadable[0].reason, Said) and again.unreadable[0].reason.startswith("与“b.jpg”")


def test_a_manifest_of_an_older_version_keeps_its_texts() -> None:
    old = {"folder": "photos", "entries": [], "warnings": [{"code": "too_few", "text": "Only 3 usable photos."}]}
    assert (
        Dataset.from_json({"kind": "lorasmith.dataset", "version": 1, **old}).warnings[0].text
        == "Only 3 usable photos."
    )


def test_nothing_is_left_in_english() -> None:
    with speaking("ru"):
        data = judged()
        texts = [w.text for w in (*data.warnings, *data.groups, *data.stats, *data.not_judged)] + list(data.next_steps)
        texts += [r.text for e in data.entries for r in e.reasons]
    allowed = {"CLIP", "LoRA", "EXIF", "FILE", "px", "JPEG", "safetensors", "clip", "lorasmith", "models", "get",
               "faces", "identity", "jpg", "Lab", "CIE"}  # fmt: skip
    assert {word for text in texts for word in LETTERS.findall(text)} <= allowed
