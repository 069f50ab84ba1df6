"""Which models look at the test pictures: the built-in embedder or open_clip weights, and what finds faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from . import _host as host

BUILT_IN = "built in (small)"


def eyes_input() -> io.Combo.Input:
    """The model that compares pictures and looks for what was asked."""
    return io.Combo.Input(
        "clip_model",
        options=[BUILT_IN, *host.clip_names()],
        default=BUILT_IN,
        optional=True,
        advanced=True,
        tooltip=(
            "Compares the pictures. The built-in one is made for the starter's drawings; for photos put open_clip "
            "weights into models/lorasmith and choose them here."
        ),
    )


def weights_of(choice: str) -> Path | None:
    """The file of a choice; None for the built-in model."""
    return None if choice == BUILT_IN else host.audit_model_folder() / choice


def open_eyes(choice: str, purpose: str = "character") -> dict[str, Any]:
    """``embedder`` and ``analyzer`` as the judging functions take them.

    Raises:
        BadInputError: the chosen weights are not there or are no open_clip model.
    """
    from ..lora_train.evaluation.embed import load_embedder
    from ..lora_train.faces import best_analyzer

    embedder = load_embedder(weights_of(choice))
    analyzer = best_analyzer(host.audit_model_folder()) if purpose == "character" else None
    return {"embedder": embedder, "analyzer": analyzer}
