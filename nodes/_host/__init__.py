"""All of the pack that touches ComfyUI (``comfy``, ``folder_paths``, ``server``).

Everything is imported inside the functions: the pack then loads in milliseconds, and these files can
be read by tools on a machine without ComfyUI.
"""

from .folders import (
    dataset_folder,
    input_folder,
    lora_folder,
    passing_folder,
    photo_folder,
    private_folder,
    temp_folder,
)
from .loras import lora_folders, lora_name_of, lora_names, lora_path, near_loras, new_lora_path
from .models import (
    audit_model_folder,
    checkpoint_names,
    checkpoint_path,
    clip_names,
    diffusion_model_names,
    diffusion_model_path,
    free_models,
    latent_format,
    load_checkpoint,
    load_diffusion_model,
)
from .pixels import encode_picture, encode_text, image_batch, pictures_of
from .running import HostObserver, add_route, check_cancelled, log, nothing, running_node, send

__all__ = [
    "HostObserver",
    "add_route",
    "audit_model_folder",
    "check_cancelled",
    "checkpoint_names",
    "checkpoint_path",
    "clip_names",
    "dataset_folder",
    "diffusion_model_names",
    "diffusion_model_path",
    "encode_picture",
    "encode_text",
    "free_models",
    "image_batch",
    "input_folder",
    "latent_format",
    "load_checkpoint",
    "load_diffusion_model",
    "log",
    "lora_folder",
    "lora_folders",
    "lora_name_of",
    "lora_names",
    "lora_path",
    "near_loras",
    "new_lora_path",
    "nothing",
    "passing_folder",
    "photo_folder",
    "pictures_of",
    "private_folder",
    "running_node",
    "send",
    "temp_folder",
]
