"""With ``_host_lora`` the only file of the pack that touches ComfyUI (``comfy``, ``folder_paths``, ``server``).

Everything is imported inside the functions: the pack then loads in milliseconds, and the file can
be read by tools on a machine without ComfyUI.
"""

from __future__ import annotations

import difflib
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..lora_train.errors import BadInputError
from ..lora_train.files import inside
from ..lora_train.observer import NullObserver

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..lora_train.families.conditions import Conditions

log = logging.getLogger(__name__)


# -- folders and names ------------------------------------------------------------------------------


def input_folder() -> Path:
    """ComfyUI's input folder."""
    import folder_paths

    return Path(folder_paths.get_input_directory())


def temp_folder() -> Path:
    """A folder that ComfyUI empties when it starts and ends."""
    import folder_paths

    folder = Path(folder_paths.get_temp_directory()) / "lorasmith"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lora_folder() -> Path:
    """Where trained LoRAs go: ``output/loras``, which ComfyUI searches for LoRAs by itself."""
    import folder_paths

    return Path(folder_paths.get_output_directory()) / "loras"


def dataset_folder(name: str) -> Path:
    """Where datasets are written: ``output/lorasmith_datasets/<name>``.

    Raises:
        BadInputError: the name is empty, or does not stay inside.
    """
    import folder_paths

    return inside(Path(folder_paths.get_output_directory()) / "lorasmith_datasets", name)


def passing_folder(mark: str) -> Path:
    """A folder for pictures that need not outlive ComfyUI; the same ``mark`` gives the same folder."""
    return temp_folder() / "datasets" / mark


def photo_folder(text: str) -> Path:
    """The folder a user named: a full path, or a folder inside ComfyUI's input folder.

    Raises:
        BadInputError: nothing was named, or there is no such folder.
    """
    name = text.strip().strip("\"'")
    if not name:
        raise BadInputError(
            f"No photo folder was named. Put your photos into a folder inside '{input_folder()}' and "
            "write its name here, or give a full path."
        )
    folder = Path(name).expanduser()
    folder = folder if folder.is_absolute() else input_folder() / folder
    if not folder.is_dir():
        near = difflib.get_close_matches(name, _input_subfolders(), n=3, cutoff=0.4)
        hint = f" Did you mean {_quoted(near)}?" if near else ""
        raise BadInputError(
            f"There is no folder '{folder}'.{hint} Write the name of a folder inside ComfyUI's input "
            "folder, or a full path."
        )
    return folder


def private_folder() -> Path:
    """A folder of the user directory that is not served over HTTP: for keys."""
    import folder_paths

    return Path(folder_paths.get_system_user_directory("lorasmith"))


def _input_subfolders() -> list[str]:
    root = input_folder()
    return sorted(p.name for p in root.iterdir() if p.is_dir()) if root.is_dir() else []


def _quoted(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


# -- LoRA files -------------------------------------------------------------------------------------


def lora_names() -> list[str]:
    """Every LoRA that ComfyUI knows, as its own LoRA loaders list them."""
    import folder_paths

    return folder_paths.get_filename_list("loras")


def lora_folders() -> list[Path]:
    """Every folder that ComfyUI searches for LoRAs, the usual one first."""
    import folder_paths

    return [Path(folder) for folder in folder_paths.get_folder_paths("loras")]


def lora_path(name: str) -> Path:
    """The file of a LoRA by its exact name in the list.

    Raises:
        BadInputError: no LoRA has this name; names close to it are suggested.
    """
    import folder_paths

    found = folder_paths.get_full_path("loras", name)
    if found and Path(found).is_file():
        return Path(found)
    near = near_loras(name)
    hint = f" Did you mean {_quoted(near)}?" if near else ""
    raise BadInputError(
        f"There is no LoRA named '{name}' among the {len(lora_names())} in ComfyUI's LoRA folders.{hint} "
        "Choose one from the list, or press R to read the folders again."
    )


def near_loras(name: str) -> list[str]:
    """Up to three LoRAs whose names look like ``name``."""
    stems = {Path(k.replace("\\", "/")).stem.lower(): k for k in lora_names()}
    stem = Path(name.replace("\\", "/")).stem.lower()
    return [stems[s] for s in difflib.get_close_matches(stem, stems, n=3, cutoff=0.5)]


def new_lora_path(name: str) -> Path:
    """A free file in the LoRA folder for a new LoRA called ``name``: nothing is ever overwritten.

    A name that is taken gets a number: ``my_lora.safetensors``, ``my_lora_2.safetensors``, ...

    Raises:
        BadInputError: the name is empty, or does not stay inside the LoRA folder.
    """
    first = inside(lora_folder(), name, ".safetensors")
    path, number = first, 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.stem}_{number}{first.suffix}")
    return path


def lora_name_of(path: Path) -> str:
    """The name under which ComfyUI lists a file of the LoRA folder."""
    import os

    return str(path.relative_to(lora_folder().resolve())).replace("/", os.sep)


# -- models -----------------------------------------------------------------------------------------


def audit_model_folder() -> Path:
    """Where the models that look at photos lie: ``models/lorasmith``. It may not be there."""
    import folder_paths

    return Path(folder_paths.models_dir) / "lorasmith"


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
        raise BadInputError(f"The checkpoint '{name}' is not in ComfyUI's checkpoint folders any more.")
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
        raise BadInputError(f"The diffusion model '{name}' is not in ComfyUI's diffusion_models folders any more.")
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
    parts = {"diffusion model": model, "text encoder": clip, "VAE": vae}
    missing = [name for name, part in parts.items() if part is None]
    if missing:
        raise BadInputError(
            f"'{path.name}' holds no {' and no '.join(missing)}. Training needs a full checkpoint: "
            "choose one with model, text encoder and VAE in one file."
        )
    return model, clip, vae


def latent_format(model: Any) -> Any:
    """How the loaded model's latents are scaled."""
    return model.get_model_object("latent_format")


def free_models() -> None:
    """Give the memory of every loaded model back; ComfyUI loads them again when they are needed."""
    import comfy.model_management as management

    management.unload_all_models()
    management.soft_empty_cache()


# -- pictures, latents, texts -----------------------------------------------------------------------


def image_batch(pictures: Sequence[Image]) -> torch.Tensor:
    """RGB pictures of one size as ComfyUI's IMAGE: ``(n, height, width, 3)``, float32, 0 to 1."""
    import numpy as np
    import torch

    arrays = [np.asarray(picture.convert("RGB"), dtype=np.float32) / 255.0 for picture in pictures]
    return torch.from_numpy(np.stack(arrays))


def pictures_of(images: torch.Tensor) -> list[Image]:
    """ComfyUI's IMAGE as RGB pictures."""
    import numpy as np
    from PIL.Image import fromarray

    arrays = (images[..., :3].clamp(0, 1) * 255).round().cpu().numpy().astype(np.uint8)
    return [fromarray(array) for array in arrays]


def encode_picture(vae: Any, base_format: Any, picture: Image) -> torch.Tensor:
    """One picture as the latent that the model sees in ComfyUI: ``(c, h, w)``, float32, on the CPU."""
    latent = base_format.process_in(vae.encode(image_batch([picture])))[0]
    latent = latent.squeeze(1) if latent.dim() == 4 else latent  # video VAEs count frames
    return latent.float().cpu().clone()


def encode_text(clip: Any, text: str, tokens: int | None = 77, pooled: bool = False) -> Conditions:
    """A text as ComfyUI's CLIP gives it when sampling, in one row, float32, on the CPU.

    ComfyUI reads longer texts in blocks of 77 tokens; with ``tokens`` 77 the first block is taken.
    Tokens that the text encoder masks out are left out.

    Raises:
        BadInputError: the model reads a vector a text and this text encoder gives none.
    """
    from ..lora_train.families.conditions import Conditions

    told = clip.encode_from_tokens(clip.tokenize(text), return_pooled=True, return_dict=True)
    rows, mask, vector = told["cond"], told.get("attention_mask"), told.get("pooled_output")
    real = rows.shape[1] if mask is None else max(1, int(mask.sum()))
    real = real if tokens is None else min(real, tokens)
    if pooled and vector is None:
        raise BadInputError(
            "This text encoder gives no pooled vector, which the base model reads beside the text. Connect the "
            "CLIP that belongs to the base model."
        )
    return Conditions.of(rows[:1, :real].float().cpu().clone(), vector[:1].float().cpu().clone() if pooled else None)


# -- HTTP -------------------------------------------------------------------------------------------


def add_route(method: Literal["GET", "POST"], path: str, handler: Callable[..., Any]) -> None:
    """Answer requests to ``path``; silent where ComfyUI runs without its server.

    A path that is known already stays as it is: ComfyUI does not start with one that is there twice.
    """
    module = sys.modules.get("server")
    server = getattr(getattr(module, "PromptServer", None), "instance", None)
    if server is not None and all(getattr(route, "path", None) != path for route in server.routes):
        server.routes.route(method, path)(handler)


# -- progress, messages, cancelling -----------------------------------------------------------------


def running_node() -> str | None:
    """Id of the node that is being executed on this thread."""
    from comfy_execution.utils import get_executing_context

    context = get_executing_context()
    return context.node_id if context else None


def send(event: str, **payload: object) -> None:
    """Tell every open graph editor something; silent where there is no server."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is not None:
        server.send_sync(f"lorasmith.{event}", payload)


def check_cancelled() -> None:
    """Raise ComfyUI's own interruption (no ``Exception``!) when the user pressed cancel."""
    import comfy.model_management as management

    management.throw_exception_if_processing_interrupted()


class HostObserver(NullObserver):
    """Shows what the core does on the node that is running: bar, words and pictures."""

    MIN_SECONDS = 0.2
    """Between two updates of the bar or the words."""

    def __init__(self) -> None:
        self._node = running_node()
        self._last: dict[str, float] = {}

    def stage(self, name: str) -> None:
        self.say(f"{name} …")

    def message(self, text: str) -> None:
        log.info("Lorasmith: %s", text)
        self.say(text)

    def progress(self, done: int, total: int) -> None:
        from comfy_api.latest import ComfyAPISync

        if self._node is not None and (done >= total or self.due("progress")):
            ComfyAPISync().execution.set_progress(done, max(total, 1), self._node)

    def check_cancelled(self) -> None:
        check_cancelled()

    def show_picture(self, address: str) -> None:
        """Show the picture at ``address`` on the node's card while it runs.

        Not as ComfyUI's own preview: that one stays on top of the node's result.
        """
        if self._node is not None:
            send("status", node=self._node, picture=address)

    def say(self, text: str) -> None:
        """Show ``text`` on the node's card while it runs."""
        if self._node is not None:
            send("status", node=self._node, text=text)

    def due(self, kind: str, seconds: float = MIN_SECONDS) -> bool:
        """True when the last True for ``kind`` was more than ``seconds`` ago."""
        now = time.monotonic()
        if now - self._last.get(kind, 0.0) < seconds:
            return False
        self._last[kind] = now
        return True
