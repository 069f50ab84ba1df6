"""The shell command: exit codes, one-line errors, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from drawn_photos import portrait, save

from lora_train import cli
from lora_train.errors import QualityGateError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for i in range(3):
        save(portrait(i, (256, 320)), tmp_path / "in" / f"{i}.jpg")
    (tmp_path / "in" / "bad.jpg").write_bytes(b"")
    return tmp_path / "in"


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


def result(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    target = tmp_path / "out.json"
    assert run(*arguments, "--json", target, "--quiet") == 0
    return json.loads(target.read_text())


def test_audit(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result(tmp_path, "audit", photos, "--resolution", 256, "--save", tmp_path / "d.json")
    assert {Path(p["path"]).name: p["keep"] for p in found["photos"]} == {
        "0.jpg": True, "1.jpg": True, "2.jpg": True, "bad.jpg": False,
    }  # fmt: skip
    assert all({"path", "keep", "reasons", "scores"} <= set(p) for p in found["photos"])
    assert found["dataset"]["warnings"][0]["code"] == "too_few"
    assert "3 of 4 photos kept" in capsys.readouterr().out
    assert json.loads((tmp_path / "d.json").read_text())["kind"] == "lorasmith.dataset"


def test_audit_with_limits_from_a_file(photos: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.json"
    limits.write_text('{"max_blur_px": 0.01, "min_side_px": 64}')
    found = result(tmp_path, "audit", photos, "--limits", limits)
    assert [r["code"] for r in found["photos"][0]["reasons"]] == ["blurry"]
    assert found["photos"][0]["reasons"][0]["limit"] == 0.01


def test_audit_of_one_check_alone(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result(tmp_path, "audit", photos, "--only", "duplicates, size")
    assert {r["code"] for p in found["photos"] for r in p["reasons"]} == {"too_small", "unreadable"}
    assert "it was not asked for" in next(n["text"] for n in found["dataset"]["not_judged"] if n["code"] == "blurry")
    capsys.readouterr()
    assert run("audit", photos, "--only", "beauty") == 2
    assert "There is no check 'beauty'. Choose from: size, " in capsys.readouterr().err


def test_crop(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops"
    found = result(tmp_path, "crop", photos, "--out", out, "--resolution", 96, "--trigger", "ohwx")
    assert [c["bucket"] for c in found["crops"]] == [[96, 96]] * 3
    for crop in found["crops"]:
        left, top, right, bottom = crop["box"]
        assert 0 <= left < right <= 256 and 0 <= top < bottom <= 320
        assert Path(crop["file"]).is_file() and Path(crop["path"]).parent == photos
    assert (out / "0.txt").read_text() == "photo of ohwx person\n"
    assert len(list(photos.iterdir())) == 4


def test_crop_for_trainers(photos: Path, tmp_path: Path) -> None:
    (photos / "metadata.jsonl").write_text('{"file_name": "1.jpg", "text": "on a sofa"}\nnot json\n')
    out = tmp_path / "hf"
    options = ("--resolution", 96, "--trigger", "ohwx", "--layout", "huggingface", "--replace", "sofa -> couch")
    found = result(tmp_path, "crop", photos, "--out", out, *options)
    rows = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert [r["text"] for r in rows] == [
        "photo of ohwx person",
        "photo of ohwx person, on a couch",
        "photo of ohwx person",
    ]
    assert found["layout"] == "huggingface" and found["photos"] == 3
    assert any("line 2" in text for text in found["warnings"])
    kohya = result(
        tmp_path, "crop", photos, "--out", tmp_path / "k", "--resolution", 96, "--trigger", "ohwx", "--repeats", 4
    )
    assert Path(kohya["crops"][0]["file"]).parent.name == "4_ohwx person"


def test_plan(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = result(tmp_path, "plan", photos, "--family", "starter", "--rank", 4)
    assert {"steps", "why", "rank", "alpha", "learning_rate", "resolution"} <= set(found)
    assert (found["rank"], found["resolution"], found["kept"]) == (4, 96, 3)
    assert found["why"] in capsys.readouterr().out


def test_json_to_standard_output_is_all_there_is(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", photos, "--family", "starter", "--quiet", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["family"] == "starter"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "{}/none"], "There is no folder"),
        (["audit", "{}"], "is empty"),
        (["audit", "{}/in", "--resolution", "13"], "multiple of 8"),
        (["audit", "{}/in", "--limits", "{}/none.json"], "There is no file"),
        (["crop", "{}/in", "--out", "{}/in", "--resolution", "96"], "holds the photos themselves"),
        (["crop", "{}/in", "--out", "{}/x", "--resolution", "96", "--trigger", "two words"], "one word"),
        (["crop", "{}/in", "--out", "{}/x"], "There is no photo to crop"),
        (["crop", "{}/in", "--out", "{}/x", "--crops-per-photo", "9"], "from 1 to 3"),
        (["crop", "{}/in", "--out", "{}/x", "--replace", "a -> b"], "--replace needs --trigger"),
        (["crop", "{}/in", "--out", "{}/x", "--trigger", "ohwx", "--replace", "a b"], "is not 'old -> new'"),
        (["plan", "{}/in", "--family", "sd9"], "only for "),
        (["plan", "{}/in", "--family", "starter", "--rank", "0", "--alpha", "-3"], "rank is 0"),
        (["plan", "{}/in"], "--family"),
        (["audit"], "required: folder"),
        (["audit", "{}/in", "--wrong"], "unrecognized"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "nothing" if arguments[1:] == ["{}"] else tmp_path
    where.mkdir(exist_ok=True)
    try:
        code = run(*[a.format(where) for a in arguments], *([] if "--wrong" in arguments else ["--quiet"]))
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2
    assert words in error
    assert error.startswith("lorasmith") and error.count("\n") == 1


def fake_verb(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def raise_it(args: object, observer: object) -> dict[str, Any]:
        raise error

    module = SimpleNamespace(
        add=lambda factory: factory("audit"), run=raise_it, show=lambda found: f"shown {found['x']}"
    )
    monkeypatch.setattr(cli, "import_module", lambda *_: module)


def test_cancelled_by_the_keyboard(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fake_verb(monkeypatch, KeyboardInterrupt())
    assert run("audit") == 130
    assert capsys.readouterr().err == "lorasmith audit: cancelled\n"


def test_a_failed_gate_still_shows_its_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = QualityGateError("below the gate")
    error.result = {"x": 1}  # type: ignore[attr-defined]
    fake_verb(monkeypatch, error)
    assert run("audit", "--json", tmp_path / "r.json") == 3
    assert capsys.readouterr().out == "shown 1\n"
    assert json.loads((tmp_path / "r.json").read_text()) == {"x": 1}


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_verb(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run("audit")
