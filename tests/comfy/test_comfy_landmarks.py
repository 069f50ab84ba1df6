"""ComfyUI's own face landmarker is accepted by the audit: its class answers in the shape that is read here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from harness.comfyui import PACK, Installation

pytestmark = pytest.mark.slow


def test_cores_landmarker_answers_as_it_is_read(comfyui: Installation) -> None:
    if not (comfyui.root / "comfy_extras/mediapipe/face_landmarker.py").is_file():
        pytest.skip("this ComfyUI has no face landmarker of its own")
    script = Path(__file__).with_name("landmarks_in_comfyui.py")
    done = subprocess.run(
        [str(comfyui.python), str(script), str(PACK)], cwd=comfyui.root, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["keys"]) >= {"landmarks_xy", "landmarks_3d", "blendshapes", "presence", "score"}
    assert told["shapes"] == [[478, 2], [478, 3]] and told["blinks"] == ["eyeBlinkLeft", "eyeBlinkRight"]
    assert told["faces"] == 2 and told["measured"]
