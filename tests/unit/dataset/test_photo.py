"""Opening photos: upright, RGB, and a clear sentence for everything that is no photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn_photos import bomb, portrait, save
from PIL import Image, ImageFile, features

from lora_train.dataset.photo import open_photo, read_photo
from lora_train.dataset.sidecars import sidecar_caption
from lora_train.errors import BadInputError

ORIENTATION = 0x0112


def quarters() -> Image.Image:
    """40 x 20 px: red and green above, blue and white below."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:10, :20], pixels[:10, 20:] = (255, 0, 0), (0, 255, 0)
    pixels[10:, :20], pixels[10:, 20:] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(pixels)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes at which files are decoded."""
    sizes: list[tuple[int, int]] = []
    start = ImageFile.ImageFile.load_prepare

    def noted(image: ImageFile.ImageFile) -> None:
        sizes.append(image.size)
        start(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", noted)
    return sizes


def corner(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    return image.getpixel((int(x * image.width), int(y * image.height)))  # type: ignore[return-value]


# How a camera stores the picture for each value of the tag, so that it looks upright when shown.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("tag", range(1, 9))
def test_every_exif_orientation_comes_out_upright(tmp_path: Path, tag: int) -> None:
    stored = quarters() if STORED[tag] is None else quarters().transpose(STORED[tag])
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    path = save(stored, tmp_path / "a.png", exif=exif)
    photo, image = read_photo(path), open_photo(path)
    assert (photo.width_px, photo.height_px) == image.size == (40, 20)
    assert corner(image, 0.1, 0.1) == (255, 0, 0)
    assert corner(image, 0.9, 0.1) == (0, 255, 0)
    assert corner(image, 0.1, 0.9) == (0, 0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "RGBA", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = ".tif" if mode in ("CMYK", "YCbCr") else ".png"
    image = open_photo(save(quarters().convert(mode), tmp_path / f"a{suffix}"))
    assert image.mode == "RGB"
    assert corner(image, 0.9, 0.9) == (255, 255, 255)


def test_sixteen_bit_keeps_its_tones(tmp_path: Path) -> None:
    values = np.full((8, 8), 32768, np.uint16)
    path = tmp_path / "a.png"
    Image.fromarray(values).save(path)
    assert open_photo(path).getpixel((4, 4)) == (128, 128, 128)


def test_transparency_lies_on_neutral_grey(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert open_photo(save(clear, tmp_path / "a.png")).getpixel((1, 1)) == (128, 128, 128)


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=[second], duration=100)
    assert open_photo(path).getpixel((2, 2)) == (255, 0, 0)


def test_reduced_opening_never_enlarges(tmp_path: Path) -> None:
    path = save(portrait(1, (600, 400)), tmp_path / "a.jpg")
    assert open_photo(path, 300).size == (300, 200)
    assert open_photo(path, 5000).size == (600, 400)


def test_large_jpeg_is_decoded_at_reduced_scale(tmp_path: Path, decoded: list[tuple[int, int]]) -> None:
    path = save(Image.new("RGB", (4000, 3000), "grey"), tmp_path / "a.jpg")
    assert open_photo(path).size == (4000, 3000)
    assert open_photo(path, 400).size == (400, 300)
    assert decoded == [(4000, 3000), (500, 375)]


def test_wrong_suffix_is_read_by_its_content(tmp_path: Path) -> None:
    source = save(portrait(1, (64, 64)), tmp_path / "a.jpg")
    renamed = tmp_path / "b.png"
    renamed.write_bytes(source.read_bytes())
    assert read_photo(renamed).format == "JPEG"


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(BadInputError, match=r"a\.jpg' is empty \(0 bytes\)"):
        read_photo(tmp_path / "a.jpg")


def test_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    with pytest.raises(BadInputError, match="not an image, although its name says JPG"):
        read_photo(tmp_path / "a.jpg")


def test_missing_plugin_is_named(tmp_path: Path) -> None:
    if "HEIF" in Image.OPEN:
        pytest.skip("the HEIF plug-in is installed")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    with pytest.raises(BadInputError, match="HEIC file .* pillow-heif"):
        read_photo(tmp_path / "a.heic")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read_where_pillow_can(tmp_path: Path) -> None:
    assert open_photo(save(portrait(1, (64, 48)), tmp_path / "a.avif")).size == (64, 48)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_truncated_file_is_refused_not_half_shown(tmp_path: Path, suffix: str, share: float) -> None:
    path = save(portrait(1, (256, 256)), tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadInputError, match=rf"a\{suffix}' is (damaged|not an image)"):
        open_photo(path)


def test_bomb_is_refused_by_its_header(tmp_path: Path, decoded: list[tuple[int, int]]) -> None:
    path = bomb(tmp_path / "a.png")
    for refused in (read_photo, open_photo):
        with pytest.raises(BadInputError, match=r"30,000 x 30,000|too many pixels"):
            refused(path)
    assert not decoded


def test_bomb_is_refused_although_the_host_lifted_pillows_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(BadInputError, match="30,000 x 30,000 px = 900 megapixels; at most 179"):
        open_photo(bomb(tmp_path / "a.png"))


def test_exif_focal_length_and_date(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[0xA405] = 26
    photo = read_photo(save(quarters(), tmp_path / "a.jpg", exif=exif))
    assert (photo.focal_35mm, photo.taken) == (26.0, "2024:05:06 07:08:09")


def test_sidecar_caption_is_one_clean_line(tmp_path: Path) -> None:
    path = save(quarters(), tmp_path / "a.jpg")
    assert sidecar_caption(path) is None
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf a red\n  car\xff ")
    assert sidecar_caption(path) == "a red car\ufffd"
    (tmp_path / "a.txt").write_text("  \n")
    (tmp_path / "a.caption").write_text("second choice")
    assert sidecar_caption(path) == "second choice"


def test_wide_gamut_profile_is_converted(tmp_path: Path) -> None:
    ImageCms = pytest.importorskip("PIL.ImageCms")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # An sRGB profile changes nothing; a damaged one is ignored.
    for profile in (lab, b"not a profile"):
        path = save(Image.new("RGB", (4, 4), (200, 100, 50)), tmp_path / "a.png", icc_profile=profile)
        assert open_photo(path).getpixel((1, 1)) == (200, 100, 50)
