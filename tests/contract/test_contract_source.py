"""Laws of the source that a reader would have to check by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.comfyui import PACK

HOST_MODULES = {"comfy", "comfy_api", "comfy_extras", "comfy_execution", "folder_paths", "server", "nodes", "execution"}
OWN_PACKAGES = {"lora_train", "nodes", "tests"}
HOST_PACKAGE = "_host"
CORE = sorted((PACK / "lora_train").rglob("*.py"))
NODES = sorted((PACK / "nodes").rglob("*.py"))
NODE_FILES = [path for path in NODES if path.parent.name == "nodes" and not path.name.startswith("_")]


def absolute_imports(path: Path) -> Iterator[str]:
    """Top-level names of everything a file imports absolutely, at any depth of the code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def name_of(path: Path) -> str:
    return path.relative_to(PACK).as_posix()


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_knows_no_host(path: Path) -> None:
    assert set(absolute_imports(path)) & (HOST_MODULES | OWN_PACKAGES) == set()


@pytest.mark.parametrize("path", NODES, ids=name_of)
def test_only_the_host_package_touches_comfyui(path: Path) -> None:
    allowed = HOST_MODULES - {"nodes"} if path.parent.name == HOST_PACKAGE else {"comfy_api"}
    assert set(absolute_imports(path)) & (HOST_MODULES | OWN_PACKAGES) <= allowed


@pytest.mark.parametrize("path", NODE_FILES, ids=name_of)
def test_a_node_file_holds_one_small_node(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert len(classes) == 1
    (execute,) = [f for f in classes[0].body if isinstance(f, ast.FunctionDef) and f.name == "execute"]
    assert execute.end_lineno is not None
    assert execute.end_lineno - execute.body[0].lineno + 1 <= 15
    assert len(source.splitlines()) <= 140


def test_the_entry_point_is_short() -> None:
    assert len((PACK / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 20


@pytest.mark.parametrize("path", sorted((PACK / "web").rglob("*.*js")), ids=name_of)
def test_web_code_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "http://" not in text and "https://" not in text
    assert len(text.splitlines()) <= 300
