"""The Training Settings node in ComfyUI's Python: untouched it changes nothing, touched it says what it changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from harness.comfyui import PACK, Installation

from lora_train.training.plan import TrainPlan

SCRIPT = Path(__file__).with_name("run_training_settings.py")


@pytest.mark.comfy
def test_the_node_changes_what_is_touched_and_says_so(comfyui: Installation, tmp_path: Path) -> None:
    plan = TrainPlan(
        family="sd15", steps=1000, why="because.", rank=16, alpha=16.0, learning_rate=1e-4, resolution_px=512,
        batch_size=1, warmup_steps=50, schedule="cosine", min_snr_gamma=5.0, noise_offset=0.0, caption_dropout=0.05,
        weight_decay=0.01, seed=1, sample_every=100,
    )  # fmt: skip
    plan.save(tmp_path / "plan.json")
    done = subprocess.run(
        [str(comfyui.python), "-B", str(SCRIPT), str(comfyui.root), str(PACK), str(tmp_path / "plan.json")],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=comfyui.root,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["same"] and seen["untouched"] == "As planned\nStep size: 4.0e-04, that of the plan."
    assert (seen["adapter"], seen["rate"]) == ("dora", 2e-4)
    assert seen["changed"].splitlines() == [
        "2 settings changed",
        "learning rate: 0.0001 \u2192 0.0002",
        "adapter: lora \u2192 dora",
        "Step size: 8.0e-04, 2 times the 4.0e-04 of the plan.",
    ]
