"""Run with ComfyUI's Python: build a family's model as ComfyUI does, apply a LoRA, save the outputs.

Arguments: ComfyUI's folder, a folder with ``<family>.safetensors`` (the diffusion model), ``lora.safetensors``,
``inputs.safetensors`` and ``case.json`` (``class``: name among the supported models, ``unet_config``: what
ComfyUI would assume about the size of the real model).
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any


def main(root: str, folder: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu", "--force-fp32"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.lora
    import comfy.model_detection
    import comfy.model_patcher
    import comfy.sd
    import comfy.supported_models
    import comfy.utils
    import torch
    from safetensors.torch import load_file, save_file

    at = Path(folder)
    case = json.loads((at / "case.json").read_text())
    inputs, weights = load_file(str(at / "inputs.safetensors")), load_file(str(at / "model.safetensors"))
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)

    prefix = "model.diffusion_model."
    detected = comfy.model_detection.detect_unet_config(weights, prefix)
    found: Any = comfy.model_detection.model_config_from_unet_config(detected, weights)
    config = getattr(comfy.supported_models, case["class"])({**detected, **(case["unet_config"] or {})})
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model(weights, prefix)
    inner = {n.removeprefix(prefix): v for n, v in weights.items() if n.startswith(prefix)}
    inner = config.process_unet_state_dict(inner)
    missing, unexpected = model.diffusion_model.load_state_dict(inner, strict=False)
    patcher = comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))
    lora = comfy.utils.load_torch_file(str(at / "lora.safetensors"), safe_load=True)
    patched, _ = comfy.sd.load_lora_for_models(patcher, None, lora, 1.0, 1.0)

    def output(which: Any) -> torch.Tensor:
        which.patch_model(torch.device("cpu"))
        with torch.inference_mode():
            told: dict[str, Any] = {"context": inputs["text"]}
            if "pooled" in inputs:
                told["y"] = inputs["pooled"]
            if case["class"] in ("Lumina2", "ZImage"):
                told["num_tokens"] = inputs["text"].shape[1]
            if case["class"] in ("Flux", "Chroma"):  # Chroma is sampled with guidance 0, as a plain number to it
                guidance = case["guidance"] if case["class"] == "Flux" else 0.0
                told["guidance"] = torch.full((len(inputs["x"]),), guidance)
            x = inputs["x"][:, :, None] if case["class"] == "QwenImage" else inputs["x"]
            answer = which.model.diffusion_model(x, inputs["times"], **told).float()
            answer = answer.reshape(inputs["x"].shape).contiguous().clone()
        which.unpatch_model(torch.device("cpu"))
        return answer

    save_file({"without": output(patcher), "with": output(patched)}, str(at / "outputs.safetensors"))
    keys = comfy.lora.model_lora_keys_unet(model, {})
    layers = {n.rpartition(".lora_")[0] for n in lora if ".lora_" in n}
    report = {
        "detected": type(found).__name__ if found else None,
        "missing": sorted(missing),
        "unexpected": sorted(unexpected),
        "layers": len(layers),
        "unknown": sorted(layers - set(keys)),
        "unused": [line for line in lines if "not loaded" in line.lower() or line.startswith("ERROR lora")],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
