"""Datasets as folders for trainers, and pictures as datasets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from PIL import Image

from lora_train.dataset.export import LAYOUTS, export_dataset, picture_names
from lora_train.dataset.manifest import Crop, Dataset, Entry
from lora_train.dataset.owned import RECORD
from lora_train.dataset.photo import Photo
from lora_train.dataset.pictures import save_pictures
from lora_train.errors import BadInputError, Cancelled
from lora_train.observer import NullObserver

SQUARE = (0, 0, 64, 64)


def entry(name: str, caption: str = "", **more: object) -> Entry:
    return Entry(Photo(Path("/p") / name, "s", 64, 64, "JPEG"), caption=caption, **more)  # type: ignore[arg-type]


def grey(_: Entry) -> Image.Image:
    return Image.new("RGB", (8, 8), "grey")


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {RECORD}


@pytest.fixture
def data() -> Dataset:
    entries = (entry("a.jpg", "ohwx, hi"), entry("A.png"), dataclasses.replace(entry("b.jpg", "no"), keep=False))
    return Dataset(Path("/p"), entries, trigger="ohwx", class_word="woman")


def test_kohya(data: Dataset, tmp_path: Path) -> None:
    done = export_dataset(data, tmp_path, grey, layout="kohya", repeats=7)
    assert files(tmp_path) == {"7_ohwx woman/a.png", "7_ohwx woman/a.txt", "7_ohwx woman/A_2.png"}
    assert (tmp_path / "7_ohwx woman/a.txt").read_text() == "ohwx, hi\n"
    assert done.folder == tmp_path and [p.path.name for p in done.pictures] == ["a.png", "A_2.png"]


@pytest.mark.parametrize("layout", ["folder", "ai-toolkit"])
def test_pictures_with_text_files(data: Dataset, tmp_path: Path, layout: str) -> None:
    export_dataset(data, tmp_path, grey, layout=layout)
    assert files(tmp_path) == {"a.png", "a.txt", "A_2.png"}


def test_onetrainer_gets_a_concept(data: Dataset, tmp_path: Path) -> None:
    export_dataset(data, tmp_path, grey, layout="onetrainer", repeats=3)
    (concept,) = json.loads((tmp_path / "concepts.json").read_text())
    assert (concept["name"], concept["path"], concept["balancing"]) == ("ohwx woman", str(tmp_path.resolve()), 3.0)
    assert concept["text"] == {"prompt_source": "sample"}
    assert (tmp_path / "a.txt").is_file()


def test_huggingface_metadata_names_every_picture(data: Dataset, tmp_path: Path) -> None:
    captions = Dataset(data.folder, (*data.entries, entry("ß.jpg", "ohwx in Köln")))
    export_dataset(captions, tmp_path, grey, layout="huggingface")
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [
        {"file_name": "a.png", "text": "ohwx, hi"}, {"file_name": "A_2.png", "text": ""},
        {"file_name": "ß.png", "text": "ohwx in Köln"},
    ]  # fmt: skip
    assert files(tmp_path) == {"a.png", "A_2.png", "ß.png", "metadata.jsonl"}


def test_relatives_are_named_after_their_photo(tmp_path: Path) -> None:
    crops = [Crop(SQUARE, (64, 64), kind) for kind in ("full", "portrait", "half")]  # type: ignore[arg-type]
    two = Dataset(Path("/p"), (entry("a.jpg", "x", crop=crops[0], more_crops=tuple(crops[1:])), entry("a_half.jpg")))
    assert picture_names(two.pictures) == ["a", "a_portrait", "a_half", "a_half_2"]


def test_names_can_be_stored_everywhere() -> None:
    odd = ("a:b?.jpg", "con.jpg", "x" * 300 + ".jpg", " .. .jpg", "\udcff.jpg", "..jpg", "line\nend.jpg")
    names = picture_names(tuple(entry(name) for name in odd))
    assert names[:2] == ["a_b_", "_con"] and len(names[2]) == 100 and names[-1] == "line_end"
    assert len(set(names)) == len(odd) and all(name.encode() and name.strip(" .") for name in names)


def test_never_into_the_photo_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds the photos themselves"):
        export_dataset(Dataset(tmp_path, (entry("a.jpg"),)), tmp_path, grey)
    elsewhere = Dataset(Path("/elsewhere"), (Entry(Photo(tmp_path / "a.jpg", "s", 9, 9, "JPEG")),))
    with pytest.raises(BadInputError, match="holds the photos themselves"):
        export_dataset(elsewhere, tmp_path, grey)


def test_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        export_dataset(Dataset(Path("/p"), ()), tmp_path, grey, layout="zip", repeats=0)
    assert all(word in str(caught.value) for word in ("no layout 'zip'", "repeats is 0", "no photo to export"))
    assert list(LAYOUTS) == ["folder", "kohya", "ai-toolkit", "onetrainer", "huggingface"]


def test_files_of_others_are_never_replaced(data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a photo of somebody")
    with pytest.raises(BadInputError, match=r"1 files .* were not written by an export, .*'a\.png'"):
        export_dataset(data, tmp_path, grey)
    assert (tmp_path / "a.png").read_bytes() == b"a photo of somebody" and not (tmp_path / "A_2.png").exists()


def test_captions_that_were_changed_since_are_kept(data: Dataset, tmp_path: Path) -> None:
    export_dataset(data, tmp_path, grey)
    export_dataset(data, tmp_path, grey)
    (tmp_path / "a.txt").write_text("my own words")
    with pytest.raises(BadInputError, match="changed since"):
        export_dataset(data, tmp_path, grey)
    assert (tmp_path / "a.txt").read_text() == "my own words"


def test_a_new_export_leaves_nothing_of_the_old_one(data: Dataset, tmp_path: Path) -> None:
    export_dataset(data, tmp_path, grey, layout="huggingface")
    (tmp_path / "notes.md").write_text("mine")
    export_dataset(dataclasses.replace(data, entries=data.entries[:1]), tmp_path, grey)
    assert files(tmp_path) == {"a.png", "a.txt", "notes.md"}


def test_a_record_cannot_reach_outside(data: Dataset, tmp_path: Path) -> None:
    outside = tmp_path / "precious.txt"
    outside.write_text("x")
    out = tmp_path / "out"
    out.mkdir()
    from lora_train.files import sha256_of

    record = {"kind": "lorasmith.export", "version": 1, "files": {"../precious.txt": sha256_of(outside)}}
    (out / RECORD).write_text(json.dumps(record))
    export_dataset(data, out, grey)
    assert outside.read_text() == "x"


def test_a_photo_that_vanished_is_told_and_the_others_are_written(data: Dataset, tmp_path: Path) -> None:
    def render(e: Entry) -> Image.Image:
        if e.name == "A.png":
            raise BadInputError("There is no file '/p/A.png'.")
        return grey(e)

    done = export_dataset(data, tmp_path, render)
    assert [u.reason for u in done.failed] == ["There is no file '/p/A.png'."]
    assert files(tmp_path) == {"a.png", "a.txt"}

    def none(e: Entry) -> Image.Image:
        raise BadInputError("gone")

    with pytest.raises(BadInputError, match="None of the 2 pictures .* gone"):
        export_dataset(data, tmp_path / "new", none)


def test_a_cancelled_export_can_be_repeated(data: Dataset, tmp_path: Path) -> None:
    class Stop(NullObserver):
        calls = 0

        def check_cancelled(self) -> None:
            self.calls += 1
            if self.calls == 2:
                raise Cancelled("stop")

    with pytest.raises(Cancelled):
        export_dataset(data, tmp_path, grey, observer=Stop())
    assert files(tmp_path) == {"a.png", "a.txt"}
    export_dataset(data, tmp_path, grey)
    assert files(tmp_path) == {"a.png", "a.txt", "A_2.png"}


# -- pictures to a dataset ------------------------------------------------------------------------------


def colours(*names: str) -> list[Image.Image]:
    return [Image.new("RGB", (16, 12), name) for name in names]


def test_pictures_become_a_dataset(tmp_path: Path) -> None:
    data = save_pictures(colours("red", "blue"), ["one", " two\nlines "], tmp_path / "x")
    assert [(e.name, e.caption, e.photo.width_px) for e in data.entries] == [
        ("0001.png", "one", 16), ("0002.png", "two lines", 16),
    ]  # fmt: skip
    fewer = save_pictures(colours("green"), [], tmp_path / "x")
    assert [(e.name, e.caption) for e in fewer.entries] == [("0001.png", "")]
    assert [e.caption for e in save_pictures(colours("red", "blue"), ["same"], tmp_path / "x").entries] == ["same"] * 2


def test_captions_must_fit(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="There are 2 captions for 3 pictures"):
        save_pictures(colours("red", "blue", "green"), ["a", "b"], tmp_path / "x")
    with pytest.raises(BadInputError, match="There are 0 pictures"):
        save_pictures([], [], tmp_path / "x")


def test_pictures_of_others_are_not_taken_along(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "mine.png")
    with pytest.raises(BadInputError, match=r"1 pictures that are not part of these .*'mine\.png'"):
        save_pictures(colours("red"), [], tmp_path)
    assert files(tmp_path) == {"mine.png"}
