"""Run with ComfyUI's Python: what ComfyUI's CLIP says with and without a LoRA.

Arguments: ComfyUI's folder, the checkpoint, a folder with ``lora.safetensors``, the text.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path


def main(root: str, checkpoint: str, folder: str, text: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu", "--force-fp32", "--fp32-text-enc"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.sd
    import comfy.utils
    import torch
    from safetensors.torch import save_file

    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    model, clip, _, _ = comfy.sd.load_checkpoint_guess_config(checkpoint, output_vae=False)
    weights = comfy.utils.load_torch_file(str(Path(folder) / "lora.safetensors"), safe_load=True)
    patched, spoken = comfy.sd.load_lora_for_models(model, clip, weights, 1.0, 1.0)

    def said(which: object) -> torch.Tensor:
        cond = which.encode_from_tokens(which.tokenize(text))  # type: ignore[attr-defined]
        return cond.detach().float().clone()

    save_file({"without": said(clip), "with": said(spoken)}, str(Path(folder) / "outputs.safetensors"))
    unused = [line for line in lines if "not loaded" in line.lower() or line.startswith("ERROR lora")]
    counts = {"unet": len(patched.patches), "text": len(spoken.patcher.patches)}
    print(json.dumps({**counts, "unused": unused}))


if __name__ == "__main__":
    main(*sys.argv[1:])
