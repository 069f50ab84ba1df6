"""How long and with what settings to train: numbers, and the reason in one sentence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import presets
from ..config import Format, decode
from ..errors import BadInputError
from ..say import say
from .distinct import Distinct, count_distinct, distinct_by_embeddings
from .plan_checks import plan_problems

if TYPE_CHECKING:
    import numpy as np

    from ..dataset.manifest import Dataset

FORMAT = Format("lorasmith.plan", 2, {1: dict})  # version 2 adds settings; an older plan means their defaults
Purpose = Literal["character", "style", "object"]
AdapterKind = Literal["lora", "locon", "dora", "rslora"]
OptimizerName = Literal["adamw", "adamw8bit", "prodigy", "schedulefree"]
Quantize = Literal["none", "int8"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MAX_PHOTOS = 50
MIN_PHOTOS = 10


@dataclass(frozen=True)
class TrainPlan:
    """Everything the training loop needs to know, apart from the files."""

    family: str
    steps: int
    """Optimizer steps."""
    why: str
    rank: int
    alpha: float
    learning_rate: float
    resolution_px: int
    batch_size: int
    warmup_steps: int
    schedule: Literal["constant", "cosine"]
    min_snr_gamma: float | None
    """Loss weight min(SNR, gamma) / SNR (Hang et al. 2023); None is the plain loss."""
    noise_offset: float
    caption_dropout: float
    """Share of steps that see the empty caption, 0 to 1."""
    weight_decay: float
    seed: int
    sample_every: int
    """Steps between sample pictures; 0 for none."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    purpose: Purpose = "character"
    tag_dropout: float = 0.0
    """Share of steps that see the caption up to its first comma, 0 to 1: the trigger word alone is learned too."""
    adapter: AdapterKind = "lora"
    """locon: convolutions too. dora: directions and lengths apart (Liu et al. 2024). rslora: alpha / sqrt(rank)."""
    optimizer: OptimizerName = "adamw"
    """All but adamw are libraries of their own. prodigy finds the rate itself: ``learning_rate`` multiplies it."""
    ema_decay: float = 0.0
    """What is kept is the running mean of the factors with this decay a step; 0 keeps the factors themselves."""
    background_weight: float = 1.0
    """Weight of the loss outside the subject, 0 to 1; 1 looks at the whole picture and needs no mask."""
    prior_weight: float = 0.0
    """Weight of the loss on regular pictures of the class, which holds the base's idea of it; 0 for none."""
    prior_folder: str = ""
    """Folder of these regular pictures; empty has the base make them before the training."""
    text_encoder_rate: float = 0.0
    """Learning rate of the text encoder's own LoRA (SD 1.5 and SDXL); 0 leaves the text encoder alone."""
    quantize: Quantize = "none"
    """int8: the frozen base's linear layers are kept in 8 bits (torchao), half the memory of bf16."""
    compile: bool = False
    """Compile the repeated blocks with torch.compile: minutes before the first step, then shorter ones."""
    keep_last: int = 0
    """How many saves by step are kept beside the best one."""
    extended_from: int = 0
    """The step at which a finished run was given more steps; 0 for a run that was not."""
    extended_share: float = 0.1
    """Share of the learning rate at which that run had ended, 0 to 1."""

    def __post_init__(self) -> None:
        BadInputError.collect(plan_problems(self))

    def replace(self, **overrides: Any) -> TrainPlan:
        """The same plan with other values. A value of None means "as planned", except for min_snr_gamma.

        Raises:
            BadInputError: lists every unknown name, wrong type and value out of range at once.
        """
        given = {k: v for k, v in overrides.items() if v is not None or k == "min_snr_gamma"}
        if "steps" in given and "why" not in given and given["steps"] != self.steps:
            given["why"] = say("plan.by_hand", steps=given["steps"], suggested=self.steps, why=self.why)
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if given.get("optimizer", self.optimizer) == "prodigy" != self.optimizer:
            given.setdefault("learning_rate", 1.0)
        if "steps" in given and "warmup_steps" not in given and isinstance(given["steps"], int) and self.steps:
            given["warmup_steps"] = min(self.warmup_steps, round(self.warmup_steps * given["steps"] / self.steps))
        return decode(TrainPlan, {**fields, **given}, "training plan")

    @property
    def image_steps(self) -> int:
        """Pictures shown in all: steps times batch."""
        return self.steps * self.batch_size

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> TrainPlan:
        """Build a plan from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)

    def save(self, path: Path) -> None:
        FORMAT.save(self, path)

    @classmethod
    def load(cls, path: Path) -> TrainPlan:
        return FORMAT.load(cls, path)


def make_plan(
    dataset: Dataset,
    family: str,
    *,
    embeddings: np.ndarray | None = None,
    unrelated_cosine: float = 0.5,
    purpose: Purpose = "character",
    **overrides: Any,
) -> TrainPlan:
    """The plan for the kept photos of ``dataset`` on a base of ``family``.

    ``embeddings`` (n, d) are unit vectors of the kept crops in order, ``unrelated_cosine`` is where two
    photos of the set count as fully distinct in that embedding; without embeddings the groups that the audit
    found stand for the similarity. Photos that are cropped already are trained at the resolution of their crops.
    ``overrides`` are fields of :class:`TrainPlan`.

    Raises:
        BadInputError: no photo is kept, no preset for family and purpose, or bad overrides.
    """
    count = len(dataset.kept)
    if count == 0:
        raise BadInputError(say("plan.no_photo", why=dataset.summary()))
    preset = presets.read(_preset_name(family, purpose))
    distinct = count_distinct(dataset)
    if embeddings is not None:
        distinct = distinct_by_embeddings(embeddings, count, unrelated_cosine)
    planned = _planned(preset, distinct, overrides.get("batch_size"))
    return planned.replace(resolution_px=_cropped_px(dataset)).replace(**overrides)


def _cropped_px(dataset: Dataset) -> int | None:
    """The resolution that all photos are cropped for; None where one is not cropped yet."""
    from ..crop import resolution_of

    return resolution_of(dataset.sizes) if len(dataset.sizes) == len(dataset.pictures) else None


def family_resolution_px(family: str, purpose: str = "character") -> int:
    """The resolution that the presets of a family train at.

    Raises:
        BadInputError: no preset for family and purpose.
    """
    return presets.read(_preset_name(family, purpose))["resolution_px"]


def image_steps(distinct: float, photos: int) -> int:
    """Pictures to show in all (batch 1 steps), a multiple of 50 between 500 and 2000.

    With V distinct photos of n and D = V / n: a varied set gets 1000 to 2000 (V 8 to 16), a
    similar one 500 to 1000 (V 2 to 8), and D from .30 to .55 blends between the two.
    """
    varied = 1000 + 1000 * _clip((distinct - 8) / 8)
    similar = 500 + 500 * _clip((distinct - 2) / 6)
    weight = _variety(distinct, photos)
    return 50 * round(((1 - weight) * similar + weight * varied) / 50)


def _variety(distinct: float, photos: int) -> float:
    """From 0 for a similar set, at most 30 % of it distinct, to 1 for a varied one, from 55 % on."""
    return _clip((distinct / photos - 0.30) / 0.25)


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))


def _preset_name(family: str, purpose: str) -> str:
    problems = []
    if family not in presets.families():
        problems.append(say("plan.no_family", family=family, known=list(presets.families())))
    if purpose not in PURPOSES:
        problems.append(say("plan.no_purpose", known=list(PURPOSES), found=purpose))
    BadInputError.collect(problems)
    return f"{family}.{purpose}"


def _planned(preset: dict[str, Any], distinct: Distinct, batch_size: object) -> TrainPlan:
    """The preset's plan for so many distinct photos."""
    batch = batch_size if isinstance(batch_size, int) and batch_size > 0 else preset["batch_size"]
    used = min(distinct.photos, MAX_PHOTOS)
    shown = image_steps(min(distinct.value, used), used)
    wanted = shown * preset["step_scale"] / batch
    low, high = preset["min_steps"], preset["max_steps"]
    # Limits are in steps at the preset's own batch.
    share = preset["batch_size"] / batch
    steps = max(1, round(min(high * share, max(low * share, wanted))))
    names = {f.name for f in dataclasses.fields(TrainPlan)}
    values = {k: v for k, v in preset.items() if k in names}
    values.update(
        steps=steps,
        why=_why(distinct, used, shown, steps, batch),
        batch_size=batch,
        warmup_steps=round(steps * preset["warmup_fraction"]),
        sample_every=max(1, steps // preset["samples"]),
        seed=preset.get("seed", 42),
    )
    return decode(TrainPlan, values, "training preset")


def _why(distinct: Distinct, used: int, shown: int, steps: int, batch: int) -> str:
    weight = _variety(distinct.value, distinct.photos)
    kind = "varied" if weight > 0.75 else "similar" if weight < 0.25 else "mixed"
    photos, notes = distinct.photos, []
    if photos > MAX_PHOTOS:
        notes.append(say("plan.too_many", limit=MAX_PHOTOS, used=used))
    if photos < MIN_PHOTOS:
        notes.append(say("plan.too_few", photos=photos, limit=MIN_PHOTOS))
    said = say(
        "plan.why",
        steps=steps,
        batch=batch,
        photos=photos,
        distinct=distinct.value,
        how=distinct.how,
        kind=say(f"plan.kind_{kind}"),
        shown=shown,
    )
    return say("plan.whole", parts=[said, *notes])
