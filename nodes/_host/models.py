"""Checkpoints, diffusion models and the models that look at photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...lora_train.errors import BadInputError
from ...lora_train.say import say


def audit_model_folder() -> Path:
    """Where the models that look at photos lie: ``models/lorasmith``. It may not be there."""
    import folder_paths

    return Path(folder_paths.models_dir) / "lorasmith"


def face_detector(model: Any) -> Any:
    """What a loaded face landmarker of ComfyUI sees: (h, w, 3) uint8 RGB to faces; groups first, then close-ups."""
    import torch

    def detect(pixels: Any) -> Any:
        with torch.inference_mode():  # the audit looks from threads, which do not inherit it
            far, near = (lambda v=v: model.detect_batch([pixels], num_faces=0, score_thresh=0.5, variant=v)[0]
                         for v in ("full", "short"))  # fmt: skip
            return far() or near()

    return detect


def clip_names() -> list[str]:
    """The open_clip weights in :func:`audit_model_folder`, by file name."""
    return sorted(path.name for path in audit_model_folder().glob("*.safetensors"))


def checkpoint_names() -> list[str]:
    """Every checkpoint that ComfyUI knows."""
    import folder_paths

    return folder_paths.get_filename_list("checkpoints")


def checkpoint_path(name: str) -> Path:
    """The file of a checkpoint in ComfyUI's list.

    Raises:
        BadInputError: it is gone.
    """
    import folder_paths

    found = folder_paths.get_full_path("checkpoints", name)
    if not found or not Path(found).is_file():
        raise BadInputError(say("node.checkpoint_gone", name=name))
    return Path(found)


def diffusion_model_names() -> list[str]:
    """Every diffusion model that ComfyUI knows: files without text encoder and VAE."""
    import folder_paths

    return folder_paths.get_filename_list("diffusion_models")


def diffusion_model_path(name: str) -> Path:
    """The file of a diffusion model in ComfyUI's list.

    Raises:
        BadInputError: it is gone.
    """
    import folder_paths

    found = folder_paths.get_full_path("diffusion_models", name)
    if not found or not Path(found).is_file():
        raise BadInputError(say("node.diffusion_model_gone", name=name))
    return Path(found)


def load_diffusion_model(path: Path) -> Any:
    """MODEL of a file that holds nothing else, through ComfyUI's own loader."""
    import comfy.sd

    return comfy.sd.load_diffusion_model(str(path))


def load_checkpoint(path: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE of a single-file checkpoint, through ComfyUI's own loader.

    Raises:
        BadInputError: a part that training needs is missing from the file.
    """
    import comfy.sd
    import folder_paths

    embeddings = folder_paths.get_folder_paths("embeddings")
    model, clip, vae = comfy.sd.load_checkpoint_guess_config(
        str(path), output_vae=True, output_clip=True, embedding_directory=embeddings
    )[:3]
    parts = {"model": model, "clip": clip, "vae": vae}
    missing = [say(f"node.part_{name}") for name, part in parts.items() if part is None]
    if missing:
        raise BadInputError(say("node.parts_missing", name=path.name, missing=missing))
    return model, clip, vae


def latent_format(model: Any) -> Any:
    """How the loaded model's latents are scaled."""
    return model.get_model_object("latent_format")


def free_models() -> None:
    """Give the memory of every loaded model back; ComfyUI loads them again when they are needed."""
    import comfy.model_management as management

    management.unload_all_models()
    management.soft_empty_cache()
