"""The embedded default: a small trained base model, a matching embedder, and demo photos.

Everything here works without a download: UNet, VAE and embedder weights ship with the package, the
text encoder is made from a seed on first use, the photos are rendered.
"""

from __future__ import annotations

from pathlib import Path

DEMO_TRIGGER = "ohwx"
CLASS_WORD = "person"
SIDE_PX = 96
STARTER_UNET = dict(
    sample_size=12,
    in_channels=4,
    out_channels=4,
    block_out_channels=(320,),
    layers_per_block=1,
    down_block_types=("CrossAttnDownBlock2D",),
    up_block_types=("CrossAttnUpBlock2D",),
    mid_block_type=None,
    cross_attention_dim=768,
    attention_head_dim=8,
)
"""The UNet in diffusers' terms: 18.6 M parameters at one resolution."""


def starter_checkpoint(folder: Path | None = None) -> Path:
    """Path of the starter base as one ``.safetensors`` file; made on first use. See :mod:`.checkpoint`."""
    from .checkpoint import starter_checkpoint as make

    return make(folder)


def starter_embedder_files() -> tuple[Path, Path]:
    """The open_clip JSON configuration and the weights of the starter embedder."""
    weights = Path(__file__).parent / "weights"
    return weights / "lorasmith-starter.json", weights / "embedder.safetensors"


def render_demo(folder: Path) -> Path:
    """Write the demo photos and their truth to ``folder``. See :mod:`.demo`."""
    from .demo import render_demo as make

    return make(folder)


def render_style_demo(folder: Path) -> Path:
    """Write the demo pictures of a style and their truth to ``folder``. See :mod:`.demo_style`."""
    from .demo_style import render_style_demo as make

    return make(folder)
