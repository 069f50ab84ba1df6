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
    suite_folder,
    temp_folder,
    tests_folder,
)
from .language import follow_language, settle_language, tell_language
from .loras import lora_choices, lora_folders, lora_name_of, lora_names, lora_path, near_loras, new_lora_path
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
from .sampling import Sampling, conditioning, model_mark, sample_picture, sampler_names, scheduler_names

__all__ = [
    "HostObserver",
    "Sampling",
    "add_route",
    "audit_model_folder",
    "check_cancelled",
    "checkpoint_names",
    "checkpoint_path",
    "clip_names",
    "conditioning",
    "dataset_folder",
    "diffusion_model_names",
    "diffusion_model_path",
    "encode_picture",
    "encode_text",
    "follow_language",
    "free_models",
    "image_batch",
    "input_folder",
    "latent_format",
    "load_checkpoint",
    "load_diffusion_model",
    "lora_choices",
    "lora_folder",
    "lora_folders",
    "lora_name_of",
    "lora_names",
    "log",
    "lora_path",
    "model_mark",
    "near_loras",
    "new_lora_path",
    "nothing",
    "passing_folder",
    "photo_folder",
    "pictures_of",
    "private_folder",
    "running_node",
    "sample_picture",
    "sampler_names",
    "scheduler_names",
    "send",
    "settle_language",
    "suite_folder",
    "tell_language",
    "temp_folder",
    "tests_folder",
]
