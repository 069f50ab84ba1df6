"""Every class of broken or odd file: reported one by one, the others go on, nothing is written beside them."""

from __future__ import annotations

import errno
import io
import os
import shutil
import struct
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_photos import bomb, portrait, save
from PIL import Image, features

from lora_train.audit import audit
from lora_train.crop import crop_dataset, render_crop
from lora_train.dataset.export import export_dataset
from lora_train.dataset.manifest import Dataset
from lora_train.dataset.photo import open_photo, read_photo
from lora_train.dataset.scan import fingerprint, scan
from lora_train.dataset.sidecars import read_metadata, sidecar_caption
from lora_train.errors import BadInputError
from lora_train.observer import RecordingObserver

ORIENTATION = 0x0112
scanning = import_module("lora_train.dataset.scan")  # the package has a function of this name


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One good photo, to be joined by bad ones."""
    save(portrait(1, (400, 400)), tmp_path / "photos" / "good.jpg")
    return tmp_path / "photos"


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    stats = {p.name: os.lstat(p) for p in folder.iterdir()}
    return {name: (s.st_size, s.st_mtime_ns) for name, s in stats.items()}


def reasons(folder: Path) -> dict[str, str]:
    return {u.path.name: u.reason for u in scan(folder).unreadable}


# -- files that are no pictures --------------------------------------------------------------------------


def test_a_folder_with_everything_in_it(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    (folder / "zip.jpg").write_bytes(b"PK\x03\x04" + bytes(200))
    (folder / "zeros.webp").write_bytes(bytes(4096))
    (folder / "program.jpg").write_bytes(b"\x7fELF" + os.urandom(300))
    bomb(folder / "bomb.png")
    good = (folder / "good.jpg").read_bytes()
    (folder / "half.jpg").write_bytes(good[: len(good) // 2])
    (folder / "only_header.jpg").write_bytes(good[:20])
    (folder / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (folder / "folder.jpg").mkdir()
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    before = snapshot(folder)

    data = crop_dataset(audit(folder), 96)
    done = export_dataset(data, tmp_path / "out", render_crop)

    told = {u.path.name for u in data.unreadable} | {e.name for e in data.rejected}
    assert told == {
        "empty.jpg", "text.png", "zip.jpg", "zeros.webp", "program.jpg", "bomb.png", "half.jpg", "only_header.jpg",
        "page.png", "loop.jpg", "gone.jpg", "pipe.jpg",
    }  # fmt: skip
    assert all(len(u.reason) > 20 and u.path.name in u.reason for u in data.unreadable)
    assert [p.entry.name for p in done.pictures] == ["good.jpg"]
    assert snapshot(folder) == before


def test_links_and_pipes_say_what_they_are(folder: Path) -> None:
    (folder / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    found = reasons(folder)
    assert "link that leads to no file" in found["loop.jpg"]
    assert "no ordinary file" in found["pipe.jpg"]


def test_a_link_to_a_photo_is_a_photo(folder: Path, tmp_path: Path) -> None:
    (folder / "linked.jpg").symlink_to(save(portrait(2, (64, 64)), tmp_path / "elsewhere.jpg"))
    assert [p.name for p in scan(folder).photos] == ["good.jpg", "linked.jpg"]


def test_folders_that_link_to_themselves(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInputError, match="Cannot read the folder|There is no folder"):
        scan(tmp_path / "loop")
    (folder / "inner").symlink_to(folder)
    assert [p.name for p in scan(folder).photos] == ["good.jpg"]


@pytest.mark.parametrize("name", ["~nobody_lives_here/photos", "a\0b", "x" * 5000])
def test_impossible_folder_names(name: str) -> None:
    with pytest.raises(BadInputError, match="folder"):
        scan(Path(name))
    assert fingerprint(Path(name))


def test_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(scanning.os, "scandir", refuse)
    with pytest.raises(BadInputError, match=r"Cannot read the folder .*Permission denied\."):
        scan(folder)


@pytest.fixture
def nobodys_eyes() -> Iterator[Path]:
    """A folder that everybody may enter, read with the rights of nobody in particular."""
    if os.name != "posix":
        pytest.skip("rights of this kind are POSIX's")
    at = Path(tempfile.mkdtemp())
    at.chmod(0o755)
    am_root = os.geteuid() == 0
    try:
        save(portrait(1, (64, 64)), at / "good.jpg").chmod(0o644)
        save(portrait(2, (64, 64)), at / "locked.jpg").chmod(0)
        save(portrait(3, (64, 64)), at / "inner" / "photo.jpg")
        (at / "inner").chmod(0)
        scan(at)  # what it imports is imported while that is still allowed
        if am_root:
            os.seteuid(65534)
        yield at
    finally:
        if am_root:
            os.seteuid(0)
        (at / "inner").chmod(0o700)
        shutil.rmtree(at)


def test_rights_that_the_file_system_really_refuses(nobodys_eyes: Path) -> None:
    found = scan(nobodys_eyes)
    assert [p.name for p in found.photos] == ["good.jpg"]
    assert [u.reason for u in found.unreadable] == ["'locked.jpg' cannot be read: Permission denied."]
    with pytest.raises(BadInputError, match=r"Cannot read the folder .*inner.*Permission denied\."):
        scan(nobodys_eyes / "inner")


def test_a_photo_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(portrait(2, (64, 64)), folder / "locked.jpg")
    real = Image.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> Any:
        if Path(path).name == "locked.jpg":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Image, "open", refuse)
    assert reasons(folder) == {"locked.jpg": "'locked.jpg' cannot be read: Permission denied."}


# -- files that change while we look ---------------------------------------------------------------------


def test_a_photo_that_vanishes_between_scan_and_decode(folder: Path, tmp_path: Path) -> None:
    for i in (2, 3):
        save(portrait(i, (400, 400)), folder / f"{i}.jpg")
    found = scan(folder)
    (folder / "2.jpg").unlink()
    data = audit(found)
    assert [(u.path.name, u.reason[:16]) for u in data.unreadable] == [("2.jpg", "There is no file")]
    (folder / "3.jpg").unlink()
    cropped = crop_dataset(data.override(keep=["3.jpg", "good.jpg"]), 96)
    assert cropped.entry("3.jpg").codes() == ("unreadable",) and cropped.entry("good.jpg").crop


def test_a_photo_that_vanishes_between_crop_and_export(folder: Path, tmp_path: Path) -> None:
    save(portrait(2, (400, 400)), folder / "2.jpg")
    data = crop_dataset(Dataset.of(scan(folder)), 96)
    (folder / "2.jpg").unlink()
    done = export_dataset(data, tmp_path / "out", render_crop)
    assert [p.entry.name for p in done.pictures] == ["good.jpg"]
    assert "There is no file" in done.failed[0].reason


def test_a_listed_name_that_is_gone_when_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(portrait(2, (64, 64)), folder / "2.jpg")
    real = scanning.read_photo

    def late(path: Path) -> Any:
        if path.name == "2.jpg":
            path.unlink()
        return real(path)

    monkeypatch.setattr(scanning, "read_photo", late)
    found = scan(folder)
    assert [p.name for p in found.photos] == ["good.jpg"] and "no file" in found.unreadable[0].reason


# -- pictures of unusual kinds ---------------------------------------------------------------------------

CORNERS = {(0.1, 0.1): (255, 0, 0), (0.9, 0.1): (0, 255, 0), (0.1, 0.9): (0, 0, 255), (0.9, 0.9): (255, 255, 255)}
STORED = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    ".png": {}, ".jpg": {"quality": 95, "subsampling": 0}, ".webp": {"lossless": True}, ".tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
}  # fmt: skip


def quarters() -> Image.Image:
    pixels = np.zeros((100, 200, 3), np.uint8)
    for (x, y), colour in CORNERS.items():
        pixels[50 * (y > 0.5) : 50 * (y > 0.5) + 50, 100 * (x > 0.5) : 100 * (x > 0.5) + 100] = colour
    return Image.fromarray(pixels)


def looks_upright(image: Image.Image) -> bool:
    got = {at: image.getpixel((int(at[0] * image.width), int(at[1] * image.height))) for at in CORNERS}
    return all(np.abs(np.subtract(got[at], CORNERS[at])).max() < 12 for at in CORNERS)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tag", STORED)
def test_every_orientation_in_every_format(tmp_path: Path, kind: str, tag: int) -> None:
    turn = STORED[tag]
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    path = tmp_path / f"a{kind}"
    (quarters() if turn is None else quarters().transpose(turn)).save(path, exif=exif, **KINDS[kind])
    photo = read_photo(path)
    assert (photo.width_px, photo.height_px) == open_photo(path).size == (200, 100)
    assert looks_upright(open_photo(path)) and looks_upright(open_photo(path, 100))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize(
    "blob",
    [b"Exif\0\0", b"Exif\0\0" + b"\xff" * 40, b"Exif\0\0MM\0*\xff\xff\xff\xff",
     b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01",
     b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0"],
    ids=["empty", "noise", "offset", "cut off", "orientation 99"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_loses_no_photo(tmp_path: Path, suffix: str, blob: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    quarters().save(path, exif=blob, **KINDS[suffix])
    photo = read_photo(path)
    assert (photo.width_px, photo.height_px, photo.focal_35mm) == (200, 100, None)
    assert looks_upright(open_photo(path))


@pytest.mark.parametrize("focal", [(0, 0), 0, 65535, "wide"])
def test_impossible_focal_lengths_and_dates_are_not_believed(tmp_path: Path, focal: Any) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = focal
    exif.get_ifd(0x8769)[0x9003] = "\0\0\0"
    exif.get_ifd(0x8769)[0xA002] = 99999  # says it is wider than it is
    path = save(quarters(), tmp_path / "a.jpg", exif=exif)
    photo = read_photo(path)
    assert (photo.focal_35mm, photo.taken, photo.width_px) == (None, None, 200)


@pytest.mark.parametrize("claimed", [0, 9, 255, 65535])
def test_an_orientation_that_there_is_not_turns_nothing(tmp_path: Path, claimed: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = claimed
    path = tmp_path / "lie.jpg"
    Image.linear_gradient("L").convert("RGB").resize((90, 60)).save(path, exif=exif)
    assert (read_photo(path).width_px, read_photo(path).height_px) == open_photo(path).size == (90, 60)


def test_sizes_are_those_of_the_pixels_whatever_exif_claims(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0100], exif[0x0101] = 9000, 6000
    exif.get_ifd(0x8769).update({0xA002: 9000, 0xA003: 6000})
    path = tmp_path / "lie.jpg"
    Image.linear_gradient("L").convert("RGB").resize((90, 60)).save(path, exif=exif)
    photo = read_photo(path)
    assert (photo.width_px, photo.height_px) == open_photo(path).size == (90, 60)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif", ".avif"])
def test_the_first_frame_of_an_animation(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    first, second = Image.new("RGB", (32, 24), "red"), Image.new("RGB", (32, 24), "blue")
    path = tmp_path / f"a{suffix}"
    first.save(path, save_all=True, append_images=[second] * 3, **({} if suffix == ".tif" else {"duration": 80}))
    red, green, blue = open_photo(path).getpixel((5, 5))  # type: ignore[misc]
    assert red > 240 and green < 16 and blue < 16
    assert read_photo(path).width_px == 32


def test_cmyk_with_and_without_a_profile(tmp_path: Path) -> None:
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for name, options in (("a.jpg", {"quality": 95}), ("a.tif", {}), ("b.jpg", {"icc_profile": b"no profile"})):
        ink.save(tmp_path / name, **options)
        image = open_photo(tmp_path / name)
        red, green, blue = image.getpixel((8, 8))  # type: ignore[misc]
        assert image.mode == "RGB" and red > 180 and green < 80 and blue < 80


@pytest.mark.parametrize("name", ["grey.png", "grey.tif"])
def test_sixteen_bits_keep_their_tones(tmp_path: Path, name: str) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / name)
    pixels = np.asarray(open_photo(tmp_path / name))[..., 0]
    assert np.abs(pixels.astype(int) - ramp // 257).max() <= 1


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(deep_tiff((65535, 32768, 0)))
    assert open_photo(tmp_path / "a.tif").getpixel((3, 3)) == (255, 128, 0)


def deep_tiff(colour: tuple[int, int, int]) -> bytes:
    """An 8 x 8 px TIFF with 16 bits a channel."""
    data = struct.pack("<3H", *colour) * 64
    at = 8 + 2 + 12 * 10 + 4
    rows = [
        (256, 8),
        (257, 8),
        (258, at),
        (259, 1),
        (262, 2),
        (273, at + 6),
        (277, 3),
        (278, 8),
        (279, len(data)),
        (284, 1),
    ]
    body = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 3 if tag == 258 else 1, v) for tag, v in rows
    )
    return b"II*\0" + struct.pack("<IH", 8, len(rows)) + body + bytes(4) + struct.pack("<3H", 16, 16, 16) + data


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_alpha_shows_neutral_grey(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    (clear.quantize() if mode == "PA" else clear.convert(mode)).save(path)
    assert open_photo(path).getpixel((4, 4)) == (128, 128, 128)


def test_right_content_under_wrong_names(folder: Path) -> None:
    content = io.BytesIO()
    portrait(3, (64, 48)).save(content, "WEBP")
    for suffix in (".jpg", ".png", ".bmp", ".heic", ".JPEG"):
        (folder / f"webp{suffix}").write_bytes(content.getvalue())
    assert {p.format for p in scan(folder).photos} == {"JPEG", "WEBP"} and reasons(folder) == {}


# -- captions --------------------------------------------------------------------------------------------


def test_captions_of_every_encoding_and_size(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
        bom = b"\xff\xfe" if encoding == "utf-16-le" else b""
        (tmp_path / "a.txt").write_bytes(bom + "café, 雪".encode(encoding))
        assert sidecar_caption(photo) == "café, 雪"
    (tmp_path / "a.txt").write_bytes(b"word " * 1_000_000)
    assert len(sidecar_caption(photo) or "") <= 16_384
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").mkdir()
    assert sidecar_caption(photo) is None


def test_a_caption_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x")

    usual = Path.is_file

    def refuse(path: Path) -> bool:
        if path.name == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(BadInputError, match=r"The caption 'a\.txt' cannot be read: Permission denied"):
        sidecar_caption(tmp_path / "a.jpg")


def test_metadata_gives_captions_and_text_files_win(folder: Path) -> None:
    for i in range(3):
        save(portrait(i, (32, 32)), folder / f"{i}.jpg")
    (folder / "0.txt").write_text("from the text file")
    rows = ['{"file_name": "0.jpg", "text": "no"}', '{"file_name": "./1.jpg", "caption": "from  metadata"}', ""]
    (folder / "metadata.jsonl").write_text("\n".join(rows))
    found = {p.name: p.caption for p in scan(folder).photos}
    assert found == {"good.jpg": None, "0.jpg": "from the text file", "1.jpg": "from metadata", "2.jpg": None}


def test_bad_lines_of_metadata_are_told_and_the_rest_is_used(folder: Path) -> None:
    lines = [
        "{",
        "[1]",
        '{"file_name": 3}',
        '{"file_name": "x.jpg"}',
        "[" * 5000,
        '{"file_name": "good.jpg", "text": "ok"}',
    ]
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    data = Dataset.of(scan(folder))
    assert data.entry("good.jpg").caption == "ok"
    assert [w.code for w in data.warnings] == ["metadata"] * 4
    assert "line 1: this is no JSON" in data.warnings[0].text and "2 more lines" in data.warnings[-1].text
    judged = audit(folder)
    assert judged.warnings[: len(data.warnings)] == data.warnings
    assert audit(judged.scanned()).warnings == judged.warnings, "judged again, the scan's notes are still told, once"


def test_huge_metadata_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lora_train.dataset.sidecars.MAX_METADATA_BYTES", 10)
    (folder / "metadata.jsonl").write_text('{"file_name": "good.jpg", "text": "ok"}')
    assert "at most 10 are read" in read_metadata(folder).problems[0]


# -- very many files -------------------------------------------------------------------------------------


class Listed:
    """A directory entry without a file: 100,000 of them cost milliseconds."""

    def __init__(self, name: str) -> None:
        self.name = name

    def is_file(self) -> bool:
        return True

    def is_dir(self) -> bool:
        return False

    def is_symlink(self) -> bool:
        return False


def test_a_hundred_thousand_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listing(list):  # type: ignore[type-arg]
        def __enter__(self) -> Listing:
            return self

        def __exit__(self, *_: object) -> None: ...

    names = [f"IMG_{i}.{'jpg' if i % 10 == 0 else 'txt'}" for i in range(100_000)]
    one = read_photo(folder / "good.jpg")
    seen = RecordingObserver()
    with monkeypatch.context() as listed:
        listed.setattr(scanning.os, "scandir", lambda _: Listing(map(Listed, names)))
        listed.setattr(scanning, "read_photo", lambda path: one)
        started = time.process_time()
        found = scan(folder, seen)
    assert time.process_time() - started < 4
    assert len(found.photos) == 10_000 and len(seen.of("progress")) == 10_000
    assert "10,000 photos" in seen.of("message")[0] and "sub-folder" in seen.of("message")[0]


@pytest.mark.slow
def test_a_hundred_thousand_real_files(folder: Path) -> None:
    """Files on the disk, one in a thousand of them a photo: names cost memory, contents do not."""
    good = (folder / "good.jpg").read_bytes()
    for i in range(100_000 - 1):
        with open(folder / (f"IMG_{i}.jpg" if i % 1000 == 0 else f"note_{i}.txt"), "wb") as file:
            file.write(good + b"%d" % i if i % 1000 == 0 else b"")
    before = (folder.stat().st_mtime_ns, len(os.listdir(folder)))
    tracemalloc.start()
    data = audit(folder, analyzer=None, only=["duplicates"])
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert len(data.entries) == 101 and len(data.kept) == 1, "all of them are the same picture"
    assert peak_mb < 200
    assert (folder.stat().st_mtime_ns, len(os.listdir(folder))) == before == (before[0], 100_000)
