"""Run by ComfyUI's Python: load the pack as ComfyUI does and print what a contract test wants to know.

    python probe.py <ComfyUI root> <pack folder>

Prints one JSON object on the last line. The steps are those of ComfyUI's ``nodes.load_custom_node``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any


def prepare_host(root: str) -> None:
    """Everything that ComfyUI itself has imported by the time it loads custom nodes."""
    empty = tempfile.mkdtemp(prefix="lorasmith-probe-")  # no models: lists in schemas do not depend on yours
    sys.argv = ["main.py", "--cpu", "--base-directory", empty]
    sys.path.insert(0, root)
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.sd  # noqa: F401
    import comfy_api.latest  # noqa: F401
    import folder_paths  # noqa: F401


def load_pack(folder: str) -> ModuleType:
    """The pack as a module whose name is its path, as in ComfyUI."""
    name = folder.replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, str(Path(folder) / "__init__.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


async def node_classes(module: ModuleType) -> list[Any]:
    extension = await module.comfy_entrypoint()
    await extension.on_load()
    return await extension.get_node_list()


def facts_of(node: Any) -> dict[str, Any]:
    """The schema as the frontend gets it, and the Python signatures behind it."""
    schema = node.GET_SCHEMA()
    facts = {"info": node.GET_NODE_INFO_V1(), "input_ids": [i.id for i in schema.inputs]}
    for method in ("execute", "validate_inputs", "fingerprint_inputs"):
        if method in vars(node):
            parameters = inspect.signature(getattr(node, method)).parameters.values()
            named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
            if method == "execute":
                facts["takes_any"] = len(named) < len(parameters)  # inputs of older workflows, or settings left alone
            facts[method] = {p.name: None if p.default is p.empty else {"default": p.default} for p in named}
    return facts


def main() -> None:
    root, folder = sys.argv[1:3]
    prepare_host(root)
    modules_before = set(sys.modules)
    path_before = list(sys.path)
    module = load_pack(folder)
    nodes = asyncio.run(node_classes(module))
    answer = {
        "new_modules": sorted(m for m in set(sys.modules) - modules_before),
        "path_changed": sys.path != path_before,
        "web_directory": module.WEB_DIRECTORY,
        "nodes": {node.GET_SCHEMA().node_id: facts_of(node) for node in nodes},
    }
    print(json.dumps(answer, default=str))


if __name__ == "__main__":
    main()
