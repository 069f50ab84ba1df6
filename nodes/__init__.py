"""The nodes, in the order in which a newcomer meets them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from ._routes import add_routes
from .apply_lora_stack import ApplyLoraStack
from .audit_dataset import AuditDataset
from .caption_dataset import CaptionDataset
from .check_diversity import CheckDiversity
from .check_lora_conflicts import CheckLoraConflicts
from .convert_lora import ConvertLora
from .crop_to_subject import CropToSubject
from .dataset_to_images import DatasetToImages
from .demo_photos import DemoPhotos
from .diagnose import Diagnose
from .export_dataset import ExportDataset
from .extract_lora import ExtractLora
from .fetch_lora import FetchLora
from .images_to_dataset import ImagesToDataset
from .inspect_lora import InspectLora
from .load_base import LoadBase
from .load_photo_folder import LoadPhotoFolder
from .lora_stack import LoraStack
from .merge_loras import MergeLoras
from .plan_training import PlanTraining
from .prompt_suite import PromptSuite
from .resize_lora import ResizeLora
from .strength_grid import StrengthGrid
from .test_lora import TestLora
from .train_lora import TrainLora
from .training_settings import TrainingSettings

NODES: tuple[type[io.ComfyNode], ...] = (
    DemoPhotos,
    LoadPhotoFolder,
    AuditDataset,
    CropToSubject,
    CaptionDataset,
    DatasetToImages,
    ImagesToDataset,
    ExportDataset,
    LoadBase,
    PlanTraining,
    TrainingSettings,
    TrainLora,
    FetchLora,
    LoraStack,
    ApplyLoraStack,
    CheckLoraConflicts,
    MergeLoras,
    ResizeLora,
    ConvertLora,
    ExtractLora,
    InspectLora,
    PromptSuite,
    TestLora,
    StrengthGrid,
    CheckDiversity,
    Diagnose,
)


class LorasmithExtension(ComfyExtension):
    """What ComfyUI asks for when it loads the pack."""

    async def on_load(self) -> None:
        from . import _routes_bench, _routes_hub, _routes_stack, _routes_train

        add_routes()
        _routes_hub.register()
        _routes_stack.register()
        _routes_bench.register()
        _routes_train.register()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return list(NODES)


async def comfy_entrypoint() -> LorasmithExtension:
    """ComfyUI's way in."""
    return LorasmithExtension()
