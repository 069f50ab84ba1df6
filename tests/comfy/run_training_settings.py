"""Run with ComfyUI's Python: the Training Settings node on a plan, as the graph calls it.

Arguments: ComfyUI's folder, the pack's folder, a saved plan.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path


def main(root: str, pack: str, plan_file: str) -> None:
    sys.path.insert(0, root)
    sys.argv = [sys.argv[0], "--cpu"]
    import comfy.options

    comfy.options.enable_args_parsing()
    spec = importlib.util.spec_from_file_location("pack", Path(pack) / "__init__.py", submodule_search_locations=[pack])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["pack"] = module
    spec.loader.exec_module(module)
    node = importlib.import_module("pack.nodes.training_settings").TrainingSettings
    plan = importlib.import_module("pack.lora_train.training.plan").TrainPlan.load(Path(plan_file))
    defaults = {name: options["default"] for name, (_, options) in node.GET_NODE_INFO_V1()["input"]["optional"].items()}
    untouched = node.execute(plan, **defaults).result
    changed = node.execute(plan, **{**defaults, "adapter": "dora", "learning_rate": 2e-4, "ema_decay": 0.0}).result
    print(
        json.dumps(
            {
                "same": untouched[0] == plan,
                "untouched": untouched[1],
                "adapter": changed[0].adapter,
                "rate": changed[0].learning_rate,
                "changed": changed[1],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
