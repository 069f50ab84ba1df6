"""The shape of a Stable Diffusion UNet, read from the names and shapes of its tensors.

Names follow the original "latent diffusion" layout: ``input_blocks.<n>.<part>``, ``middle_block``,
``output_blocks.<n>.<part>``. Block ``input_blocks.0`` is the first convolution; every later block
is a residual layer (with or without attention) or a downsampler that ends a level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Middle = Literal["absent", "residual", "attention"]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class UnetShape:
    """Levels from the largest picture to the smallest."""

    in_channels: int
    out_channels: int
    widths: tuple[int, ...]
    """Channels per level."""
    layers: tuple[int, ...]
    """Residual layers per level on the way down (one more on the way up)."""
    down_depth: tuple[int, ...]
    """Transformer blocks per attention layer on the way down; 0 means no attention."""
    up_depth: tuple[int, ...]
    """The same on the way up, ordered as the levels are (largest picture first)."""
    middle: Middle
    context_dim: int
    """Width of the text embedding that cross-attention reads."""
    linear: bool = False
    """Attention blocks begin and end with linear layers and have heads of 64 channels (SDXL)."""
    vector_dim: int = 0
    """Width of the vector that SDXL adds to the time: pooled text and picture sizes; 0 for none."""

    @property
    def is_real_sd15(self) -> bool:
        """True for the shape of the published Stable Diffusion 1.5."""
        return (
            self.widths == (320, 640, 1280, 1280)
            and self.layers == (2, 2, 2, 2)
            and self.down_depth == self.up_depth == (1, 1, 1, 0)
            and self.middle == "attention"
        )

    @property
    def is_starter(self) -> bool:
        """True for the shape of the embedded starter base."""
        one = self.widths == (320,) and self.layers == (1,)
        return one and self.down_depth == self.up_depth == (1,) and self.middle == "absent"

    def diffusers_config(self) -> dict[str, Any]:
        """Keyword arguments of ``diffusers.UNet2DConditionModel`` for this shape."""
        depth = [max(d, u, 1) for d, u in zip(self.down_depth, self.up_depth, strict=True)]
        middles = {
            "absent": None,
            "residual": "UNetMidBlock2D",
            "attention": "UNetMidBlock2DCrossAttn",
        }
        extra: dict[str, Any] = {"attention_head_dim": 8}  # in diffusers' SD 1.5 naming: 8 heads at every level
        if self.linear:
            extra = {"attention_head_dim": tuple(w // 64 for w in self.widths), "use_linear_projection": True}
        if self.vector_dim:
            extra |= {
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 256,
                "projection_class_embeddings_input_dim": self.vector_dim,
            }
        return {
            "sample_size": 12 if self.is_starter else 64,
            "in_channels": self.in_channels,
            "out_channels": self.out_channels,
            "block_out_channels": self.widths,
            "layers_per_block": self.layers,
            "down_block_types": tuple("CrossAttnDownBlock2D" if d else "DownBlock2D" for d in self.down_depth),
            "up_block_types": tuple("CrossAttnUpBlock2D" if d else "UpBlock2D" for d in reversed(self.up_depth)),
            "mid_block_type": middles[self.middle],
            "cross_attention_dim": self.context_dim,
            "transformer_layers_per_block": tuple(depth),
            **extra,
        }


def infer_shape(shapes: Shapes) -> UnetShape:
    """Read the shape from ``{name: shape}`` without prefix (``input_blocks.0.0.weight`` ...).

    Raises:
        ValueError: the names describe no UNet that this module knows; the text says why.
    """
    if "input_blocks.0.0.weight" not in shapes or "out.2.weight" not in shapes:
        raise ValueError("the first or last convolution is missing")
    widths, layers, down = _read_down(shapes)
    up = _read_up(shapes, layers)
    context = _context_dim(shapes)
    middle_depth = depth_at(shapes, "middle_block")
    if any(d and u and d != u for d, u in zip(down, up, strict=True)) or middle_depth not in (
        0,
        max(down[-1], up[-1], 1),
    ):
        raise ValueError(f"transformer depths {down} down, {middle_depth} in the middle and {up} up do not match")
    return UnetShape(
        in_channels=shapes["input_blocks.0.0.weight"][1],
        out_channels=shapes["out.2.weight"][0],
        widths=widths,
        layers=layers,
        down_depth=down,
        up_depth=up,
        middle=_middle(shapes),
        context_dim=context,
        linear=any(len(s) == 2 for n, s in shapes.items() if n.endswith(".proj_in.weight")),
        vector_dim=shapes.get("label_emb.0.0.weight", (0, 0))[1],
    )


def shape_of_config(config: Mapping[str, Any]) -> UnetShape:
    """The :class:`UnetShape` of a diffusers UNet's config (SD 1.5 kind, equal depths)."""
    widths = tuple(config["block_out_channels"])
    layers = config["layers_per_block"]
    depth = config.get("transformer_layers_per_block") or 1
    depths = (depth,) * len(widths) if isinstance(depth, int) else tuple(depth)
    ups = tuple(reversed(config["up_block_types"]))
    middles = {None: "absent", "UNetMidBlock2D": "residual", "UNetMidBlock2DCrossAttn": "attention"}
    return UnetShape(
        in_channels=config["in_channels"],
        out_channels=config["out_channels"],
        widths=widths,
        layers=(layers,) * len(widths) if isinstance(layers, int) else tuple(layers),
        down_depth=tuple(d if "Cross" in t else 0 for d, t in zip(depths, config["down_block_types"], strict=True)),
        up_depth=tuple(d if "Cross" in t else 0 for d, t in zip(depths, ups, strict=True)),
        middle=middles[config["mid_block_type"]],  # type: ignore[arg-type]
        context_dim=config["cross_attention_dim"],
        linear=bool(config.get("use_linear_projection")),
        vector_dim=config.get("projection_class_embeddings_input_dim") or 0,
    )


def depth_at(shapes: Shapes, block: str) -> int:
    """Transformer blocks in ``block`` (such as ``input_blocks.1``); 0 when it has no attention."""
    count = 0
    while f"{block}.1.transformer_blocks.{count}.norm1.weight" in shapes:
        count += 1
    return count


def _read_down(shapes: Shapes) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    widths: list[int] = []
    layers: list[int] = []
    depths: list[set[int]] = []
    opening = True
    number = 1
    while True:
        block = f"input_blocks.{number}"
        if f"{block}.0.in_layers.0.weight" in shapes:
            if opening:
                widths.append(shapes[f"{block}.0.out_layers.3.weight"][0])
                layers.append(0)
                depths.append(set())
                opening = False
            layers[-1] += 1
            depths[-1].add(depth_at(shapes, block))
        elif f"{block}.0.op.weight" in shapes:
            opening = True
        else:
            break
        number += 1
    if not widths:
        raise ValueError("there is no residual layer")
    return tuple(widths), tuple(layers), _one_depth_each(depths)


def _read_up(shapes: Shapes, layers: tuple[int, ...]) -> tuple[int, ...]:
    depths: list[set[int]] = []
    number = 0
    for count in reversed(layers):
        blocks = [f"output_blocks.{number + i}" for i in range(count + 1)]
        missing = [b for b in blocks if f"{b}.0.in_layers.0.weight" not in shapes]
        if missing:
            raise ValueError(f"'{missing[0]}' is missing")
        depths.append({depth_at(shapes, block) for block in blocks})
        number += count + 1
    return tuple(reversed(_one_depth_each(depths)))


def _one_depth_each(depths: list[set[int]]) -> tuple[int, ...]:
    if any(len(found) != 1 for found in depths):
        raise ValueError("attention differs between the layers of one level")
    return tuple(found.pop() for found in depths)


def _middle(shapes: Shapes) -> Middle:
    if "middle_block.1.proj_in.weight" in shapes:
        return "attention"
    return "residual" if "middle_block.0.in_layers.0.weight" in shapes else "absent"


def _context_dim(shapes: Shapes) -> int:
    for name, shape in shapes.items():
        if name.endswith("attn2.to_k.weight"):
            return shape[1]
    raise ValueError("there is no cross-attention, so it cannot follow a text")
