"""Networks in TensorFlow Lite files, run by LiteRT. Threads may share a :class:`Network`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError
from ..say import say


class Network:
    """One network; it is loaded once per thread at its first use.

    Raises:
        BadInputError: (on first use) the file is missing or is no network that LiteRT can run.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._local = threading.local()

    def __call__(self, pixels: np.ndarray) -> list[np.ndarray]:
        """Outputs in the file's order for one picture (h, w, 3) float32."""
        net, entry, exits = self._loaded()
        net.set_tensor(entry, pixels[None].astype(np.float32, copy=False))
        net.invoke()
        return [net.get_tensor(i).copy() for i in exits]

    @property
    def size_px(self) -> int:
        """Side of the square picture that it reads."""
        net, entry, _ = self._loaded()
        return int(next(d["shape"][1] for d in net.get_input_details() if d["index"] == entry))

    def _loaded(self) -> tuple[Any, int, list[int]]:
        if not hasattr(self._local, "net"):
            self._local.net = self._load()
        net = self._local.net
        entry = net.get_input_details()[0]["index"]
        return net, entry, [d["index"] for d in net.get_output_details()]

    def _load(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            net = Interpreter(model_path=str(self.path), num_threads=1)
            net.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise BadInputError(say("faces.cannot_run", name=self.path.name, why=first)) from error
        return net


def runtime_missing() -> str:
    """Why LiteRT cannot be used here, with the next step; empty when it can."""
    from importlib.util import find_spec

    if find_spec("ai_edge_litert") is None:
        return say("faces.no_runtime")
    return ""
