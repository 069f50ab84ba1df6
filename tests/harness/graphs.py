"""Graphs in API format that several tests queue."""

from __future__ import annotations

from typing import Any

STARTER = "Lorasmith starter (built in)"


def node(class_type: str, **inputs: object) -> dict[str, Any]:
    """One node."""
    return {"class_type": class_type, "inputs": inputs}


def photos(folder: object = ("demo", 0)) -> dict[str, Any]:
    """Demo photos, or those of a folder, up to the audit."""
    source = list(folder) if isinstance(folder, tuple) else folder
    return {
        "demo": node("Lorasmith_DemoPhotos"),
        "load": node("Lorasmith_LoadPhotoFolder", folder=source),
        "audit": node("Lorasmith_AuditDataset", dataset=["load", 0]),
    }


def training(name: str, steps: int, checkpoint: str = STARTER, seed: int = 0) -> dict[str, Any]:
    """From the demo photos to a LoRA called ``name``."""
    return photos() | {
        "base": node("Lorasmith_LoadBase", checkpoint=checkpoint),
        "crop": node("Lorasmith_CropToSubject", dataset=["audit", 0], base=["base", 3]),
        "caption": node(
            "Lorasmith_CaptionDataset", dataset=["crop", 0], trigger="ohwx", class_word="person", tags=False
        ),
        "plan": node(
            "Lorasmith_PlanTraining",
            dataset=["caption", 0],
            base=["base", 3],
            purpose="character",
            steps=steps,
            seed=seed,
        ),
        "train": node(
            "Lorasmith_TrainLora",
            dataset=["caption", 0],
            plan=["plan", 0],
            clip=["base", 1],
            vae=["base", 2],
            base=["base", 3],
            name=name,
        ),
    }


def pictures(stack: list[Any], strength: float, count: int = 4, steps: int = 6) -> dict[str, Any]:
    """Pictures with a stack of LoRAs, through ComfyUI's own sampler; joins :func:`training`."""
    return {
        "apply": node(
            "Lorasmith_ApplyLoraStack",
            model=["base", 0],
            clip=["base", 1],
            lora_stack=stack,
            strength=strength,
        ),
        "yes": node("CLIPTextEncode", clip=["apply", 1], text="photo of ohwx person"),
        "no": node("CLIPTextEncode", clip=["apply", 1], text=""),
        "empty": node("EmptyLatentImage", width=96, height=96, batch_size=count),
        "sample": node(
            "KSampler",
            model=["apply", 0],
            positive=["yes", 0],
            negative=["no", 0],
            latent_image=["empty", 0],
            seed=7,
            steps=steps,
            cfg=4.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
        ),
        "decode": node("VAEDecode", samples=["sample", 0], vae=["base", 2]),
        "show": node("PreviewImage", images=["decode", 0]),
    }
