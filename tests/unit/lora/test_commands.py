"""The verbs about LoRA files: JSON keys that other tools call, exit codes, one line for what is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from made_loras import deltas, distance, make
from tiny_models import random_unet, write_checkpoint

from lora_train import cli
from lora_train.commands._lora import size_bytes, with_strength
from lora_train.errors import BadInputError
from lora_train.lora.inspect import inspect


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return make(tmp_path / "anna.safetensors", 1), make(tmp_path / "oil.safetensors", 2, 3)


def result(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    target = tmp_path / "out.json"
    assert cli.main([*(str(a) for a in arguments), "--json", str(target), "--quiet"]) == 0
    return json.loads(target.read_text())


def test_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = json.dumps({"10_x": {"smile": 3, "ohwx": 9}, "5_y": {"smile": 4}})
    a = make(tmp_path / "a.safetensors", metadata={"ss_tag_frequency": tags, "trained_words": '["ohwx", "anna"]'})
    found = result(tmp_path, "inspect", a)
    assert {"family", "rank", "alpha", "modules", "format", "trigger", "metadata"} <= set(found)
    assert (found["family"], found["rank"], found["alpha"], found["modules"]) == ("sdxl", 4, 2.0, 5)
    assert found["parts"] == {"text_encoder": 1, "unet": 4} and found["tags"] == {"ohwx": 9, "smile": 7}
    sha = hashlib.sha256(a.read_bytes()).hexdigest()
    data = a.read_bytes()[8 + int.from_bytes(a.read_bytes()[:8], "little") :]
    v3 = hashlib.sha256(data).hexdigest()[:12]
    assert found["hashes"] == {"sha256": sha, "autov2": sha[:10], "autov3": v3}
    assert found["trigger_words"] == ["ohwx", "anna"] and v3 in capsys.readouterr().out


def test_resize(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    found = result(tmp_path, "resize", pair[0], out, "--rank", 2)
    keys = {"rank_before", "rank_after", "energy_kept", "relative_error", "bytes_before", "bytes_after"}
    assert keys <= set(found) and (found["rank_before"], found["rank_after"]) == (4, 2)
    assert found["relative_error"] == pytest.approx(distance(deltas(pair[0]), deltas(out)), abs=1e-5)
    assert result(tmp_path, "resize", pair[0], out, "--energy", 1.0)["relative_error"] < 1e-5
    assert result(tmp_path, "resize", pair[0], out, "--size", "250kb")["bytes_after"] <= 250_000


def test_merge(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = result(tmp_path, "merge", f"{pair[0]}:0.8", f"{pair[1]}:0.5:0", "--out", tmp_path / "m.safetensors")
    assert (found["rank"], found["relative_error"]) == (7, 0.0)
    found = result(tmp_path, "merge", *pair, "--out", tmp_path / "m.safetensors", "--rank", 4, "--protect", pair[0])
    assert found["rank"] == 4 and found["relative_error"] > 0.01 and 0 < found["protected_kept"] < 1


def test_conflict(pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result(tmp_path, "conflict", f"{pair[0]}:0.8", pair[1], "--lock", pair[0])
    assert {"a", "b", "cosine", "overlap"} <= set(found["pairs"][0])
    assert set(found["loudness"]) == set(found["suggested"]) == {"anna", "oil"}
    assert found["suggested"]["anna"] == 0.8 and found["verdict"] in capsys.readouterr().out


def test_convert_and_extract(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = result(tmp_path, "convert", pair[0], tmp_path / "c.safetensors", "--to", "diffusers")
    assert (found["form_before"], found["form"]) == ("kohya", "diffusers")
    assert inspect(tmp_path / "c.safetensors").format == "diffusers"
    base = write_checkpoint(tmp_path / "base.safetensors", unet=random_unet(0))
    tuned = write_checkpoint(tmp_path / "tuned.safetensors", unet=random_unet(1))
    found = result(tmp_path, "extract", base, tuned, "--out", tmp_path / "x.safetensors", "--rank", 2)
    assert found["rank"] == 2 and 0 < found["energy_kept"] < 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "{}/gone.safetensors"], "There is no file"),
        (["inspect", "{}/text.safetensors"], "no safetensors file"),
        (["resize", "{}/anna.safetensors", "{}/x.safetensors"], "Give one of rank, energy or size"),
        (["resize", "{}/anna.safetensors", "{}/x.safetensors", "--size", "much"], "'much' is no size"),
        (["resize", "{}/anna.safetensors", "{}/anna.safetensors", "--rank", "2"], "never changed"),
        (["merge", "{}/anna.safetensors:0.8", "{}/gone.safetensors:1", "{}/no", "--out", "{}/x.safetensors"],
         "gone.safetensors'"),
        (["merge", "{}/anna.safetensors", "--out", "{}/x.safetensors", "--method", "ties"], "needs a rank"),
        (["merge", "{}/anna.safetensors", "--out", "{}/x.safetensors", "--protect", "{}/oil.safetensors"],
         "not one of the LoRAs to merge"),
        (["conflict", "{}/anna.safetensors:99"], "from -20 to 20"),
        (["conflict", "{}/anna.safetensors", "--base", "{}/gone.safetensors"], "There is no file"),
        (["convert", "{}/anna.safetensors", "{}/x.safetensors", "--to", "other"], "invalid choice"),
        (["extract", "{}/anna.safetensors", "{}/text.safetensors", "--out", "{}/x.safetensors"], "no safetensors file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.safetensors").write_text("no model at all, whatever its name says")
    try:
        code = cli.main([*(a.format(tmp_path) for a in arguments), "--quiet"])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and words in error and error.count("\n") == 1
    assert not (tmp_path / "x.safetensors").exists()


def test_strengths_after_a_colon(tmp_path: Path) -> None:
    file = make(tmp_path / "a.safetensors")
    odd = make(tmp_path / "b:0.5")
    assert with_strength(str(file)) == (file, 1.0, None)
    assert with_strength(f"{file}:0.8") == (file, 0.8, None)
    assert with_strength(f"{file}:-0.8:0.25") == (file, -0.8, 0.25)
    assert with_strength(str(odd)) == (odd, 1.0, None)
    with pytest.raises(BadInputError, match="There is no file"):
        with_strength(f"{file}:much")


def test_sizes() -> None:
    assert [size_bytes(t) for t in ("80MB", "1.5g", "700", "2 K")] == [80_000_000, 1_500_000_000, 700, 2000]
    with pytest.raises(BadInputError, match="is no size"):
        size_bytes("-3MB")
