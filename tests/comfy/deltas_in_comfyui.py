"""Run with ComfyUI's Python: what core's own LoRA code adds to each weight, for every layer of a file.

Arguments: ComfyUI's folder, the LoRA, the file to write (layer name -> change at strength 1, flattened).
"""

from __future__ import annotations

import sys


def main(root: str, lora: str, out: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.lora
    import comfy.utils
    import torch
    from safetensors.torch import save_file

    weights = comfy.utils.load_torch_file(lora, safe_load=True)
    ends = (".lora_up.weight", ".lora_B.weight")
    layers = {name[: -len(end)]: value for name, value in weights.items() for end in ends if name.endswith(end)}
    downs = {layer: weights.get(f"{layer}.lora_down.weight", weights.get(f"{layer}.lora_A.weight")) for layer in layers}
    patches = comfy.lora.load_lora(weights, {layer: layer for layer in layers})
    changes = {}
    for layer, patch in patches.items():
        empty = torch.zeros(layers[layer].shape[0], *downs[layer].shape[1:])
        changes[layer] = comfy.lora.calculate_weight([(1.0, patch, 1.0, None, None)], empty, layer).flatten(1)
    save_file({layer: change.contiguous() for layer, change in changes.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
