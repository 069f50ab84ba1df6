"""``lorasmith diversity`` as a black box, with a tiny random embedder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from written_embedder import picture

from lora_train.cli import main


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name, numbers in (("made", [1, 1, 1, 1]), ("base", [5, 6, 7, 8]), ("photos", [1, 9, 10])):
        (tmp_path / name).mkdir()
        for i, number in enumerate(numbers):
            picture(number).save(tmp_path / name / f"{i}.png")
    (tmp_path / "made" / "broken.png").write_bytes(b"\x89PNG")
    return tmp_path


def run(folders: Path, tiny_clip: Path, *more: str) -> tuple[int, dict]:
    out = folders / "result.json"
    code = main(
        ["diversity", str(folders / "made"), "--embedder", str(tiny_clip), "--quiet", "--json", str(out), *more]
    )
    return code, json.loads(out.read_text("utf-8")) if out.exists() else {}


def test_verdict_copies_and_advice(folders: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, photos = str(folders / "base"), str(folders / "photos")
    code, result = run(folders, tiny_clip, "--base", base, "--reference", photos)
    assert code == 0
    assert result["verdict"] == "overfit"
    assert result["images"] == 4 and result["mean_similarity"] == pytest.approx(1)
    assert {c["photo"] for c in result["copies"]} == {"0.png"}
    assert "Verdict: overfit (4 pictures)" in capsys.readouterr().out


def test_gate_fails_with_3_and_still_writes_the_result(
    folders: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = run(folders, tiny_clip, "--base", str(folders / "base"), "--gate")
    assert code == 3 and result["verdict"] == "overfit"
    said = capsys.readouterr()
    assert "Verdict: overfit" in said.out and said.err.count("\n") == 1


def test_two_pictures_are_not_enough(folders: Path, tiny_clip: Path) -> None:
    for name in ("2.png", "3.png", "broken.png"):
        (folders / "made" / name).unlink()
    assert run(folders, tiny_clip)[1]["verdict"] == "not enough images"


@pytest.mark.parametrize("option", ["--base", "--reference", "--embedder"])
def test_bad_input_is_one_line_and_2(
    folders: Path, tiny_clip: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run(folders, tiny_clip, option, "nowhere")
    err = capsys.readouterr().err
    assert code == 2 and err.count("\n") == 1 and "nowhere" in err


def test_pictures_that_cannot_be_judged_are_named_and_three_give_no_verdict(folders: Path, tiny_clip: Path) -> None:
    from PIL import Image

    Image.new("RGB", (48, 48)).save(folders / "made" / "0.png")
    code, result = run(folders, tiny_clip, "--base", str(folders / "base"))
    assert code == 0 and result["images"] == 3 and result["verdict"] == "not enough images"
    assert "Cannot tell with 3 pictures" in result["advice"][0]
    assert result["mean_similarity"] == pytest.approx(1) and result["axes"]["variety"]["value"] is not None
    notes = " ".join(result["notes"])
    assert "'0.png' left out: the picture is black" in notes and "broken.png" in notes


def test_missing_face_weights_are_a_sentence(
    folders: Path, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lora_train.faces.registry.identifier", lambda models=None: "run 'lorasmith models get identity'."
    )
    monkeypatch.setattr("lora_train.faces.registry.best_analyzer", lambda models=None: None)
    _, result = run(folders, tiny_clip, "--reference", str(folders / "photos"))
    assert result["notes"][-1] == "Faces were not compared: run 'lorasmith models get identity'."
    _, result = run(folders, tiny_clip, "--reference", str(folders / "photos"), "--no-faces")
    assert not any("Faces" in n for n in result["notes"])


def test_diagnose_names_the_causes(folders: Path, tiny_clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folders / "causes.json"
    arguments = ["diagnose", "--images", str(folders / "made"), "--base", str(folders / "base"),
                 "--embedder", str(tiny_clip), "--quiet", "--json", str(out)]  # fmt: skip
    assert main(arguments) == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["verdict"] == "overfit" and found["causes"][0]["code"] == "collapsed"
    assert "1. The pictures are alike" in capsys.readouterr().out
    assert main(["diagnose", "--quiet"]) == 2
    assert main(["diagnose", "--quiet", "--images", "x", "--report", "y"]) == 2
    assert main(["diagnose", "--quiet", "--lora", str(folders / "none.safetensors")]) == 2
    assert "no training run beside" in capsys.readouterr().err
