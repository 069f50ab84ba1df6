"""Apply LoRA Stack against a chain of ComfyUI's own LoRA loaders, inside ComfyUI's code.

    <ComfyUI's Python> benchmarks/apply_stack.py <ComfyUI's folder> [--files 10] [--rank 8]

1. The node's own time for unchanged files and changed strengths, on the SDXL UNet (722 layers a file). The
   weights are on the "meta" device: neither side looks at them, and no checkpoint is needed.
2. Changing one weight: ComfyUI's list of patches against one joined patch, on real numbers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PACK = Path(__file__).resolve().parents[1]
SDXL = {
    "image_size": 32, "use_spatial_transformer": True, "legacy": False, "num_classes": "sequential",
    "adm_in_channels": 2816, "in_channels": 4, "model_channels": 320, "num_res_blocks": [2, 2, 2],
    "transformer_depth": [0, 0, 2, 2, 10, 10], "channel_mult": [1, 2, 4], "transformer_depth_middle": 10,
    "use_linear_in_transformer": True, "context_dim": 2048, "num_head_channels": 64, "out_channels": 4,
    "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10], "use_temporal_attention": False,
}  # fmt: skip


def prepare(root: str, base: str) -> Any:
    """ComfyUI as it is when a node runs, and the pack's code; returns the module of the node's work."""
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu", "--base-directory", base]
    import comfy.options

    comfy.options.enable_args_parsing()
    import folder_paths

    folder_paths.add_model_folder_path("loras", base)
    name = str(PACK).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, str(PACK / "__init__.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return importlib.import_module(f"{name}.nodes._apply_stack")


class NoClip:
    """A CLIP without text encoder, as the files have no part for it."""

    def __init__(self) -> None:
        import comfy.model_patcher
        import torch

        self.cond_stage_model = torch.nn.Module()
        self.patcher = comfy.model_patcher.ModelPatcher(self.cond_stage_model, torch.device("cpu"), torch.device("cpu"))

    def clone(self) -> NoClip:
        other = NoClip.__new__(NoClip)
        other.cond_stage_model, other.patcher = self.cond_stage_model, self.patcher.clone()
        return other

    def add_patches(self, *given: Any) -> list[Any]:
        return self.patcher.add_patches(*given)


def sdxl() -> Any:
    """MODEL of the SDXL UNet's shape, without numbers."""
    import comfy.model_patcher
    import comfy.supported_models
    import torch

    config = comfy.supported_models.SDXL(SDXL)
    config.set_inference_dtype(torch.float16, None)
    with torch.device("meta"):
        model = config.get_model({}, "", device="meta")
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def compare_nodes(stack: Any, names: list[str]) -> tuple[Any, dict[str, float]]:
    """One row of the table, and the seconds of the first time, when files are read."""
    from table import Row, timed

    import nodes

    model, clip, strength = sdxl(), NoClip(), [0.5]
    loaders = [nodes.LoraLoader() for _ in names]

    def ours() -> None:
        strength[0] += 0.01
        stack.apply_stack(model, clip, [(name, strength[0], strength[0]) for name in names], 1.0)

    def core() -> None:
        strength[0] += 0.01
        on_model, on_clip = model, clip
        for loader, name in zip(loaders, names, strict=True):
            on_model, on_clip = loader.load_lora(on_model, on_clip, name, strength[0], strength[0])

    first = {"ours": timed(ours).clock, "core": timed(core).clock}
    return Row(f"node time, {len(names)} files, new strengths", timed(ours, 7), timed(core, 7)), first


def compare_weights(side: int, count: int, rank: int = 32) -> Any:
    """Changing one fp32 weight with ``count`` LoRAs; the note tells the rounding errors in fp16."""
    import comfy.lora
    import comfy.weight_adapter
    import torch
    from table import Row, timed

    host_patches = sys.modules[next(name for name in sys.modules if name.endswith(".nodes._host.patches"))]
    make = torch.Generator().manual_seed(side)
    weight = torch.randn(side, side, generator=make) / side**0.5
    patches = [
        (0.7, comfy.weight_adapter.LoRAAdapter(set(), (
            torch.randn(side, rank, generator=make) * 0.02, torch.randn(rank, side, generator=make) * 0.02,
            float(rank), None, None, None)), 1.0, None, None)
        for _ in range(count)
    ]  # fmt: skip
    joined = [(1.0, host_patches.joined([host_patches.plain_part(p[1], p[0]) for p in patches]), 1.0, None, None)]
    exact = weight.double() + sum(0.7 * (p[1].weights[0].double() @ p[1].weights[1].double()) for p in patches)

    def changed(given: list[Any], dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return comfy.lora.calculate_weight(given, weight.to(dtype, copy=True), "w")

    def error(given: list[Any]) -> float:
        return float((changed(given, torch.float16).double() - exact).norm() / (exact - weight.double()).norm())

    work: Callable[[list[Any]], Any] = changed
    times = [timed(lambda given=given: work(given), 5) for given in (joined, patches)]
    note = f"fp16 rounding error {error(joined):.1e} against {error(patches):.1e}"
    return Row(f"changing a {side} x {side} weight, {count} LoRAs", times[0], times[1], note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("comfyui")
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--json", type=Path)
    said = parser.parse_args()
    with TemporaryDirectory() as folder:
        stack = prepare(said.comfyui, folder)
        import torch
        from sdxl_shapes import write
        from table import show

        names = [write(Path(folder) / f"{n}.safetensors", said.rank, n).name for n in range(said.files)]
        with torch.inference_mode():
            row, first = compare_nodes(stack, names)
            rows = [row, *(compare_weights(side, count) for side in (1280, 3072) for count in (2, 5, 10))]
    show(rows, "core")
    print(f"first time, files read and checked: ours {first['ours']:.2f} s, core {first['core']:.2f} s")
    if said.json:
        said.json.write_text(json.dumps([row.to_json() for row in rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
