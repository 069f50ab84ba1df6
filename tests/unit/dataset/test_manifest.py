"""The manifest: immutable, one JSON file, everything wrong named at once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from lora_train.dataset.manifest import Crop, Dataset, Entry, Group, Reason, Warning_
from lora_train.dataset.photo import Photo, Unreadable
from lora_train.errors import BadInputError


def photo(name: str, side_px: int = 512) -> Photo:
    return Photo(Path("/photos") / name, name * 4, side_px, side_px, "JPEG", focal_35mm=26.0)


def full() -> Dataset:
    blurry = Reason("blurry", 4.0, 2.5, "Blurry.")
    return Dataset(
        folder=Path("/photos"),
        entries=(
            Entry(photo("a.jpg"), scores={"blur_px": 0.9}, crop=Crop((0, 0, 512, 512), (96, 96), "subject"),
                  caption="photo of ohwx person", group=1),
            Entry(photo("b.jpg"), keep=False, reasons=(blurry,)),
        ),
        unreadable=(Unreadable(Path("/photos/c.jpg"), "empty"),),
        warnings=(Warning_("too_few", "Only 1."),),
        trigger="ohwx",
        class_word="person",
        groups=(Group(1, "duplicate", ("a.jpg", "b.jpg"), "a.jpg", "two"),),
    )  # fmt: skip


def test_json_round_trip_through_a_file(tmp_path: Path) -> None:
    full().save(tmp_path / "d.json")
    assert Dataset.load(tmp_path / "d.json") == full()
    assert json.loads((tmp_path / "d.json").read_text())["version"] == 1


def test_summary_counts_every_file_once() -> None:
    assert full().summary() == "1 of 3 photos kept; left out: 1 blurry, 1 unreadable."


def test_digest_follows_what_is_trained_and_nothing_else() -> None:
    one = full()
    kept = one.entries[0]
    moved = dataclasses.replace(
        one,
        folder=Path("/elsewhere"),
        entries=(dataclasses.replace(kept, photo=dataclasses.replace(kept.photo, path=Path("/x/a.jpg"))),),
    )
    assert moved.digest() == one.digest()
    changes = [
        dataclasses.replace(one, trigger="sks"),
        dataclasses.replace(one, entries=(dataclasses.replace(kept, caption="other"),)),
        dataclasses.replace(one, entries=(dataclasses.replace(kept, crop=None),)),
        dataclasses.replace(one, entries=()),
    ]
    assert len({d.digest() for d in [one, *changes]}) == 5


def test_override_keeps_the_reasons_and_changes_the_verdict() -> None:
    changed = full().override(keep=["b.jpg"], reject=["a.jpg"])
    assert [e.name for e in changed.kept] == ["b.jpg"]
    assert changed.entry("b.jpg").reasons[0].code == "blurry"
    assert "1 by hand" in changed.summary()
    assert [e.name for e in full().kept] == ["a.jpg"]


def test_override_names_all_wrong_names_at_once() -> None:
    with pytest.raises(BadInputError) as caught:
        full().override(keep=["x.jpg", "a.jpg"], reject=["y.jpg", "a.jpg"])
    assert all(text in str(caught.value) for text in ("x.jpg", "y.jpg", "both kept and rejected"))


def test_broken_manifest_lists_every_problem() -> None:
    data = full().to_json()
    data["entries"][0]["crop"]["kind"] = "face"
    data["entries"][0]["photo"]["width_px"] = "wide"
    data["triger"] = "x"
    with pytest.raises(BadInputError) as caught:
        Dataset.from_json(data, "d.json")
    text = str(caught.value)
    assert "entries[0].crop.kind must be one of" in text
    assert "entries[0].photo.width_px must be a whole number, found a text" in text
    assert "did you mean 'trigger'" in text


def test_upscale_of_a_crop() -> None:
    assert Crop((0, 0, 100, 50), (200, 100), "whole").upscale == 2.0
    assert Crop((0, 0, 400, 200), (200, 100), "whole").upscale == 0.5
