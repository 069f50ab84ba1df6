"""Run with ComfyUI's Python: the pack's stack against a chain of ComfyUI's own LoRA loaders, on one model.

Arguments: ComfyUI's folder, a prepared base directory (``models/loras``, ``models/checkpoints``), the pack.
Reads ``cases.json`` from the base directory and prints one JSON object on the last line.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def prepare(root: str, base: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu", "--force-fp32", "--base-directory", base]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.sd
    import folder_paths

    import nodes  # noqa: F401

    folder_paths.add_model_folder_path("loras", str(Path(base) / "models" / "loras"))


def load_pack(pack: str) -> Any:
    """The module with the pack's stack code, loaded under its path as ComfyUI does."""
    name = pack.replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, str(Path(pack) / "__init__.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return importlib.import_module(f"{name}.nodes._apply_stack"), importlib.import_module(f"{name}.nodes._stack_blocks")


def read_row(blocks: Any, row: list[Any]) -> Any:
    """A stack row of ``[name, model, text]`` or ``[name, model, text, blocks as JSON]``."""
    core = importlib.import_module(f"{blocks.__package__.removesuffix('.nodes')}.lora_train.lora.blocks")
    return blocks.stack_row(*row[:3], core.parse_blocks(row[3] if len(row) > 3 else "all"))


def chain(model: Any, clip: Any, rows: list[list[Any]]) -> tuple[Any, Any]:
    import nodes

    for name, on_model, on_text in rows:
        model, clip = nodes.LoraLoader().load_lora(model, clip, name, on_model, on_text)
    return model, clip


def weights(patcher: Any, dtype: Any) -> dict[str, Any]:
    """Every patched weight as ComfyUI calculates it."""
    import comfy.lora

    inner = getattr(patcher, "patcher", patcher)
    state = inner.model.state_dict()
    return {
        key: comfy.lora.calculate_weight(patches, state[key].detach().clone().to(dtype), key, intermediate_dtype=dtype)
        for key, patches in inner.patches.items()
    }


def difference(a: dict[str, Any], b: dict[str, Any], plain: dict[str, Any]) -> dict[str, float]:
    """The largest difference, and the whole one relative to the whole change; what is not patched is plain."""
    a, b = ({key: side.get(key, plain[key].float()) for key in {*a, *b}} for side in (a, b))
    gap = sum(float((a[k].double() - b[k].double()).square().sum()) for k in b)
    change = sum(float((b[k].double() - plain[k].double()).square().sum()) for k in b)
    largest = max((float((a[k] - b[k]).abs().max()) for k in b), default=0.0)
    return {"largest": largest, "relative": (gap / max(change, 1e-300)) ** 0.5, "change": change**0.5}


def compare(stack: Any, blocks: Any, model: Any, clip: Any, case: dict[str, Any]) -> dict[str, Any]:
    import torch

    rows = [read_row(blocks, row) for row in case["rows"]]
    ours = stack.apply_stack(model, clip, rows, case.get("strength", 1.0))
    again = stack.apply_stack(model, clip, rows, case.get("strength", 1.0))
    theirs = chain(model, clip, case.get("chain", case["rows"]))
    answer: dict[str, Any] = {"report": str(ours[2])}
    for name, mine, core in (("model", ours[0], theirs[0]), ("clip", ours[1].patcher, theirs[1].patcher)):
        state = mine.model.state_dict()
        a, b = weights(mine, torch.float32), weights(core, torch.float32)
        answer[name] = difference(a, b, state) | {
            "weights": len(a),
            "core_weights": len(b),
            "patches": max((len(p) for p in mine.patches.values()), default=0),
            "core_patches": max((len(p) for p in core.patches.values()), default=0),
            "untouched": not model.patches and not clip.patcher.patches,
        }
    identities = [(m.patches_uuid, c.patcher.patches_uuid) for m, c in (ours[:2], again[:2], (model, clip))]
    answer["same_identity"] = identities[0] == identities[1] != identities[2]
    return answer


def refused(stack: Any, model: Any, clip: Any, rows: list[list[Any]]) -> str:
    try:
        stack.apply_stack(model, clip, rows, 1.0)
    except Exception as error:  # noqa: BLE001 - the test reads what it is
        return f"{type(error).__module__}.{type(error).__name__}: {error}"
    return ""


def main(root: str, base: str, pack: str) -> None:
    prepare(root, base)
    import comfy.sd
    import torch

    said = json.loads((Path(base) / "cases.json").read_text(encoding="utf-8"))
    stack, blocks = load_pack(pack)
    with torch.inference_mode():
        model, clip, _, _ = comfy.sd.load_checkpoint_guess_config(str(Path(base) / said["checkpoint"]))
        answer: dict[str, Any] = {
            "cases": {name: compare(stack, blocks, model, clip, case) for name, case in said["cases"].items()},
            "refused": {name: refused(stack, model, clip, rows) for name, rows in said["refused"].items()},
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
