"""Run with ComfyUI's Python: load a checkpoint and a LoRA with ComfyUI's code, save the UNet's outputs.

Arguments: ComfyUI's folder, the checkpoint, a folder with ``lora.safetensors`` and ``inputs.safetensors``.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path


def main(root: str, checkpoint: str, folder: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu", "--force-fp32"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.model_management
    import comfy.sd
    import comfy.utils
    import torch
    from safetensors.torch import load_file, save_file

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    inputs = load_file(str(Path(folder) / "inputs.safetensors"))
    model, _, _, _ = comfy.sd.load_checkpoint_guess_config(checkpoint, output_vae=False, output_clip=False)
    weights = comfy.utils.load_torch_file(str(Path(folder) / "lora.safetensors"), safe_load=True)
    patched, _ = comfy.sd.load_lora_for_models(model, None, weights, 1.0, 1.0)

    def output(patcher: object) -> torch.Tensor:
        comfy.model_management.unload_all_models()
        comfy.model_management.load_models_gpu([patcher], force_full_load=True)
        with torch.inference_mode():
            unet = patcher.model.diffusion_model.float()  # type: ignore[attr-defined]
            return unet(inputs["x"], inputs["timesteps"], context=inputs["context"]).clone()

    outputs = {"without": output(model), "with": output(patched)}
    save_file(outputs, str(Path(folder) / "outputs.safetensors"))
    unused = [line for line in lines if "not loaded" in line.lower() or line.startswith("ERROR lora")]
    kind = type(model.model.model_config).__name__
    print(json.dumps({"model": kind, "patches": len(patched.patches), "unused": unused}))


if __name__ == "__main__":
    main(*sys.argv[1:])
