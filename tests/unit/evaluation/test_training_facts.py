"""A finished training, read from the files beside its LoRA."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lora_train import presets
from lora_train.errors import BadInputError
from lora_train.evaluation.training_facts import TrainingFacts
from lora_train.training.plan import TrainPlan

PLAN = TrainPlan("sd15", 1000, "", 16, 16.0, 1e-4, 512, 2, 50, "cosine", 5.0, 0.0, 0.1, 0.01, 42, 200)


def run_folder(folder: Path, **changed: object) -> Path:
    """``anna.safetensors`` with its run beside it; returns the LoRA's path."""
    run = folder / "anna.run"
    run.mkdir()
    data = {"kind": "lorasmith.run", "version": 1, "plan": PLAN.to_json(), "steps": 800, "loss_first": 0.2,
            "loss_last": 0.15, "stopped_by": "stopped", "trigger": "ohwx", "dataset": {"pictures": 24}}  # fmt: skip
    (run / "run.json").write_text(json.dumps({**data, **changed}), "utf-8")
    return folder / "anna.safetensors"


def test_lora_folder_and_file_lead_to_the_same_run(tmp_path: Path) -> None:
    lora = run_folder(tmp_path)
    facts = TrainingFacts.read(lora)
    assert facts == TrainingFacts.read(lora.with_suffix(".run")) == TrainingFacts.read(tmp_path / "anna.run/run.json")
    assert (facts.steps, facts.pictures, facts.trigger, facts.stopped_by) == (800, 24, "ohwx", "stopped")
    assert facts.plan == PLAN and facts.loss_drop == pytest.approx(0.25) and not facts.halved


def test_metrics_tell_the_lowest_loss_and_a_halved_rate_and_a_cut_line_is_passed_over(tmp_path: Path) -> None:
    lora = run_folder(tmp_path)
    rows = [{"step": i, "loss_smooth": abs(i - 30) + 1.0, "learning_rate": 1e-4 if i < 3 else 5e-5} for i in range(60)]
    text = "\n".join(json.dumps(r) for r in rows) + '\n{"step": 61, "loss_sm'
    (tmp_path / "anna.run/metrics.jsonl").write_text(text, "utf-8")
    facts = TrainingFacts.read(lora)
    assert facts.lowest_step == 30 and facts.halved


def test_nan_losses_are_not_known(tmp_path: Path) -> None:
    assert TrainingFacts.read(run_folder(tmp_path, loss_first=float("nan"))).loss_drop is None


def test_no_run_is_said_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no training run beside"):
        TrainingFacts.read(tmp_path / "downloaded.safetensors")


def test_all_problems_at_once(tmp_path: Path) -> None:
    lora = run_folder(tmp_path, kind="other", plan=None, steps="many")
    with pytest.raises(BadInputError) as error:
        TrainingFacts.read(lora)
    assert all(part in str(error.value) for part in ("'other' file", "plan is missing", "not 'many'"))


def test_every_preset_has_a_rate_to_compare_with() -> None:
    assert all(presets.read(f"{family}.character")["learning_rate"] > 0 for family in presets.families())
