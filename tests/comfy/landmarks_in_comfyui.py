"""Run by ComfyUI's Python, in its folder: its own landmarker, with random weights, behind the audit's analyzer.

    python landmarks_in_comfyui.py PACK_FOLDER

Prints JSON. The values are nonsense; what is asked is that its answers have the shape that is read here.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

sys.path[:0] = [".", sys.argv[1]]
for name in ("pack", "pack.nodes", "pack.nodes._host"):  # as packages, without what they import
    sys.modules[name] = ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[1], *name.split(".")[1:]))]
import numpy as np  # noqa: E402
import torch  # noqa: E402
from comfy_extras.mediapipe.face_landmarker import FaceLandmarker  # noqa: E402
from PIL import Image  # noqa: E402

from lora_train.faces.landmarks import LandmarkAnalyzer  # noqa: E402

torch.manual_seed(3)
models = {v: FaceLandmarker(detector_variant=v, dtype=torch.float32).eval() for v in ("short", "full")}
for model in models.values():
    for name, values in (*model.named_parameters(), *model.named_buffers()):
        if values.is_floating_point():
            torch.nn.init.normal_(values, std=0.05) if "running_var" not in name else values.data.fill_(1.0)


def detect_batch(images: list[np.ndarray], num_faces: int, score_thresh: float, variant: str) -> list:
    """As FaceLandmarkerModel does, without its memory manager; whatever it takes for a face counts."""
    return models[variant].detect_batch(images, num_faces=2, score_thresh=0.0)


host = importlib.import_module("pack.nodes._host.models")
detect = host.face_detector(SimpleNamespace(detect_batch=detect_batch))
found = detect(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8))
analyzer = LandmarkAnalyzer(lambda pixels: [{**face, "presence": 9.0} for face in detect(pixels)])
people = analyzer.look(Image.effect_noise((400, 300), 80).convert("RGB"))
print(json.dumps({
    "keys": sorted(found[0]) if found else [],
    "shapes": [list(np.shape(found[0][k])) for k in ("landmarks_xy", "landmarks_3d")] if found else [],
    "blinks": sorted(k for k in found[0]["blendshapes"] if "Blink" in k) if found else [],
    "faces": len(people.faces),
    "measured": all(f.yaw_deg is not None for f in people.faces),
}))  # fmt: skip
