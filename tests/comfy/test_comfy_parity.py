"""What was trained with diffusers and peft does the same in ComfyUI."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from harness.comfyui import PACK, Installation

pytestmark = pytest.mark.comfy
PROBE = Path(__file__).with_name("parity_probe.py")


def test_a_lora_does_the_same_in_comfyui_and_in_peft(comfyui: Installation, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(comfyui.python), "-B", str(PROBE), str(comfyui.root), str(PACK), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=comfyui.root,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
    )
    if "No module named 'diffusers'" in done.stderr or "No module named 'peft'" in done.stderr:
        pytest.skip("ComfyUI's Python has no diffusers and peft: nothing to compare with")
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["unused"] == []
    assert set(found["alphas"]) == {"4.0", "1.5"}  # equal to the rank, and different from it
    for alpha, values in found["alphas"].items():
        assert values["effect"] > 0.05, alpha
        assert values["difference"] < 1e-4, alpha
    assert found["alphas"]["4.0"]["effect"] > 1.5 * found["alphas"]["1.5"]["effect"]
