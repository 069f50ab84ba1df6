"""A test of a LoRA from its plan of shots to a report that is opened again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from written_embedder import WrittenEmbedder, picture, unit

from lora_train.errors import BadInputError
from lora_train.evaluation.bench import (
    TestReport,
    judge_test,
    load_report,
    plan_shots,
    report_pictures,
    save_report,
    sizes_for,
)
from lora_train.evaluation.diagnosis import diagnose
from lora_train.evaluation.grid import GridCell, StrengthGrid, score_cells, suggest
from lora_train.evaluation.prompts import find_suite

SUITE = find_suite("character.en").first(2).filled("ohwx", "woman")
D = 48
ANNA, OTHERS, CONCEPT = np.eye(D)[:3]
SHOTS = plan_shots(SUITE, per_prompt=4)


def rows(n: int, spread: float, towards: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(n, D)) / np.sqrt(D)
    noise[:, :3] = 0
    return unit(towards + spread * noise)


MADE, BASE, PHOTOS = rows(8, 1.2, ANNA + 0.3 * CONCEPT, 1), rows(8, 1.8, OTHERS + 0.3 * CONCEPT, 2), rows(6, 1, ANNA, 3)
EMBEDDER = WrittenEmbedder(
    np.concatenate([MADE, BASE, PHOTOS, rows(8, 0.1, ANNA, 4)]), {SUITE.prompts[1].check: CONCEPT}
)
made, base, photos, alike = ([picture(i) for i in range(a, b)] for a, b in ((0, 8), (8, 16), (16, 22), (22, 30)))


def test_shots_have_their_own_seeds_and_names() -> None:
    shots = plan_shots(SUITE, 3, 50, sizes_for(512))
    assert len(shots) == 2 * 2 * 3 and len({s.seed for s in shots}) == 12 and len({s.name for s in shots}) == 12
    assert [(s.width_px, s.height_px) for s in shots[:6]] == [(512, 512)] * 3 + [(704, 384)] * 3
    assert shots[0].name == f"{SUITE.prompts[0].id}_50_512x512.png"
    assert plan_shots(SUITE, 3, 50, sizes_for(512)) == shots


@pytest.mark.parametrize("side", [96, 512, 1024])
def test_wide_pictures_have_about_the_same_area(side: int) -> None:
    (square, _), (width, height) = sizes_for(side)
    assert square == side and 1.6 < width / height < 1.95 and abs(width * height / side**2 - 1) < 0.1


def test_wrong_numbers_are_named_together() -> None:
    with pytest.raises(BadInputError) as error:
        plan_shots(find_suite("character.en"), 0, -1, ((500, 501),))
    assert all(w in str(error.value) for w in ("0 pictures", "seed is -1", "500x501", "not filled in"))


@pytest.fixture(scope="module")
def report() -> TestReport:
    return judge_test(SHOTS, made, base, embedder=EMBEDDER, reference=photos, trigger="ohwx", class_word="woman",
                      lora="anna.safetensors", strength=0.8, suite=SUITE.id, purpose="object")  # fmt: skip


def test_each_picture_has_its_scores(report: TestReport) -> None:
    first = report.pictures[0]
    assert first.likeness is not None and first.likeness > 0.5
    assert first.base_fidelity == pytest.approx(float(MADE[0] @ BASE[0]), abs=1e-5)
    assert first.nearest_photo and not first.is_copy and first.sharpness is not None
    shown = report.concepts()
    assert shown[SUITE.prompts[1].concept] > 0.9 > shown[SUITE.prompts[0].concept]
    assert list(shown) == [SUITE.prompts[0].concept, SUITE.prompts[1].concept]  # the worst first
    assert "What was asked for, and shown" in report.text


def test_reopened_it_is_the_same(report: TestReport, tmp_path: Path) -> None:
    path = save_report(report, tmp_path / "test", made, base)
    assert load_report(path) == load_report(path.parent) == report
    ours, theirs = report_pictures(path.parent, report)
    assert [p.name for p in ours] == [p.name for p in theirs] == [s.name for s in SHOTS]
    json.loads(path.read_text("utf-8"), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert diagnose(report=load_report(path)) == diagnose(report=report)


def test_missing_pictures_and_names_that_lead_out_are_refused(report: TestReport, tmp_path: Path) -> None:
    save_report(report, tmp_path, made)
    with pytest.raises(BadInputError, match="8 pictures of the report are missing"):
        report_pictures(tmp_path, report)
    data = report.to_json()
    data["pictures"][0]["file"] = "../../secret.png"
    with pytest.raises(BadInputError, match="does not lie in the report's folder"):
        report_pictures(tmp_path, TestReport.from_json(data))
    with pytest.raises(BadInputError, match="There is no file"):
        load_report(tmp_path / "nowhere")


def test_counts_have_to_fit() -> None:
    with pytest.raises(BadInputError) as error:
        judge_test(SHOTS, made[:3], base[:2], embedder=EMBEDDER)
    assert "3 pictures came for 8 shots" in str(error.value) and "2 base pictures" in str(error.value)


def test_without_base_and_photos_nothing_is_invented() -> None:
    one = judge_test(SHOTS, made, None, embedder=EMBEDDER, class_word="woman").pictures[0]
    assert one.likeness is None and one.base_fidelity is None and one.base_file is None and one.nearest_photo is None


def test_the_grid_suggests_the_cell_that_keeps_person_and_variety() -> None:
    cells = [(((0.0,), ""), base), (((0.8,), ""), made), (((1.2,), ""), alike)]
    grid = score_cells(cells, base, SHOTS, embedder=EMBEDDER, reference=photos, class_word="woman", purpose="object")
    weak, good, strong = grid.cells
    assert weak.likeness is not None and good.likeness is not None and strong.variety is not None
    assert weak.likeness < 0.2 < good.likeness and strong.variety < 0.2 and weak.base_fidelity == pytest.approx(1)
    assert grid.suggested == 1 and grid.best is good and "Suggested is 0.8" in grid.why
    assert StrengthGrid.from_json(grid.to_json()) == grid


def cell(strength: float, likeness: float | None, adherence: float, fidelity: float, variety: float) -> GridCell:
    return GridCell((strength,), "", likeness, adherence, fidelity, variety, "good", 4)


def test_what_is_given_up_is_said() -> None:
    grid = [cell(0.4, 0.3, 0.9, 0.9, 0.9), cell(0.8, 0.8, 0.85, 0.7, 0.8), cell(1.0, 0.85, 0.8, 0.6, 0.7)]
    assert suggest(grid)[0] == 1
    assert "price of variety" in suggest([cell(0.8, 0.8, 0.9, 0.7, 0.1)])[1]
    assert "prompt and variety" in suggest([cell(0.4, 0.1, 0.9, 0.9, 0.9), cell(1.0, 0.9, 0.2, 0.5, 0.9)])[1]
    assert suggest([cell(0.8, None, 0.9, 0.9, 0.9)])[0] is None
    with pytest.raises(BadInputError, match="no cells"):
        score_cells([], None, SHOTS, embedder=EMBEDDER)
