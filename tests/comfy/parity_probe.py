"""Run by ComfyUI's Python: the same LoRA in diffusers + peft and in ComfyUI, on the same noise.

    python parity_probe.py <ComfyUI root> <repository root> <empty folder>

Prints one JSON object on the last line: for every alpha the largest difference of the UNets' outputs,
how much the LoRA changes the output at all, and the keys that ComfyUI did not use.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from pathlib import Path
from typing import Any

RANK = 4
ALPHAS = (4.0, 1.5)


def load(path: Path, name: str) -> Any:
    """A module from a file, under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def prepare(root: str, repository: str, folder: str) -> tuple[Any, Any]:
    """ComfyUI on the CPU, the pack as ComfyUI loads it, and the repository's model maker."""
    sys.argv = ["main.py", "--cpu", "--base-directory", folder]
    sys.path[:0] = [root, repository]
    import comfy.options

    comfy.options.enable_args_parsing()
    load(Path(repository) / "__init__.py", repository)
    return sys.modules[f"{repository}.nodes._host"], load(Path(repository) / "tests/tiny_models.py", "tiny")


def add_random_lora(unet: Any, alpha: float) -> None:
    """A LoRA on every layer that Lorasmith trains, with weights far from zero."""
    import torch
    from peft import LoraConfig

    from lora_train.families.sd15 import SD15

    targets = list(SD15.target_modules)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=alpha, target_modules=targets, init_lora_weights=False))
    torch.manual_seed(3)
    for name, parameter in unet.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.05)


def save(unet: Any, alpha: float, path: Path) -> None:
    """Write the adapter as Lorasmith does."""
    import torch

    from lora_train.lora.file import save_lora
    from lora_train.lora.keys import Factors, to_kohya

    found = {
        name: Factors(module.lora_A["default"].weight.data, module.lora_B["default"].weight.data, alpha)
        for name, module in unet.named_modules()
        if hasattr(module, "lora_A") and "default" in module.lora_A
    }
    save_lora(path, to_kohya(found, dtype=torch.float32), {})


def compare(host: Any, tiny: Any, base: Path, folder: Path, alpha: float) -> dict[str, Any]:
    import torch

    unet = tiny.random_unet()
    noise, context = torch.randn(2, 4, 12, 12), torch.randn(2, 77, 768)
    steps = torch.tensor([981, 20])
    with torch.no_grad():
        plain = unet(noise, steps, context).sample
        add_random_lora(unet, alpha)
        theirs = unet(noise, steps, context).sample
    save(unet, alpha, folder / "lora.safetensors")
    model, clip, _ = host.load_checkpoint(base)
    model, _ = host.apply_lora(model, clip, folder / "lora.safetensors", 1.0, 1.0)
    with torch.no_grad():
        patched = model.patch_model(device_to=torch.device("cpu"))
        ours = patched.diffusion_model(noise, steps, context=context).float()
    return {
        "difference": float((ours - theirs).abs().max()),
        "effect": float((theirs - plain).abs().max()),
    }


class Heard(logging.Handler):
    """Keeps what ComfyUI says about keys it did not use."""

    def __init__(self) -> None:
        super().__init__()
        self.unused: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "lora key not loaded" in text or "NOT LOADED" in text:
            self.unused.append(text)


def main() -> None:
    root, repository, folder = sys.argv[1:4]
    host, tiny = prepare(root, repository, folder)
    heard = Heard()
    logging.getLogger().addHandler(heard)
    clip = tiny.random_clip(**tiny.REAL_CLIP)
    base = tiny.write_checkpoint(Path(folder) / "base.safetensors", unet=tiny.random_unet(), clip=clip)
    found = {alpha: compare(host, tiny, base, Path(folder), alpha) for alpha in ALPHAS}
    print(json.dumps({"alphas": found, "unused": heard.unused}))


if __name__ == "__main__":
    main()
