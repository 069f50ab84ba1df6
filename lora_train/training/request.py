"""What a training is asked to do, and what it answers: plain values that travel as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..config import Format
from ..dataset.captions import has_word, trigger_problems
from ..dataset.manifest import Dataset
from ..errors import BadInputError
from ..families import registry
from ..say import say
from .plan import TrainPlan
from .safeguards import family_problems, photo_problems

REQUEST = Format("lorasmith.train_request", 1)
RESULT = Format("lorasmith.train_result", 1)
MAX_EXTEND = 100_000
StoppedBy = Literal["planned_end", "signal", "cancelled", "stopped"]
"""signal: likeness no longer rose and variety fell; cancelled, stopped: the user, or a lost parent."""


@dataclass(frozen=True)
class TrainRequest:
    """One training."""

    base: Path
    """One-file checkpoint."""
    dataset: Dataset
    plan: TrainPlan
    out: Path
    """The LoRA to write; its run folder lies beside it."""
    trigger: str
    encoded: Path | None = None
    """Photos and captions that the host has encoded; None lets the training encode them itself."""
    sample_prompts: tuple[str, ...] = ()
    """The user's own prompts, shown after the ones that are scored."""
    resume: bool = False
    embedder: Path | None = None
    """A CLIP model that scores the samples; None: the starter's on the starter base, elsewhere nothing is scored."""
    samples: bool = True
    """Make samples while training; ``plan.sample_every`` 0 switches them off as well."""
    extend: int = 0
    """With ``resume``: this many steps more than the saved run has done, by its own plan; the signal stops nothing."""

    def to_json(self) -> dict[str, Any]:
        return REQUEST.pack(self)

    @classmethod
    def from_json(cls, data: Any) -> TrainRequest:
        """Build a request from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return REQUEST.unpack(cls, data)


@dataclass(frozen=True)
class TrainResult:
    """What came out. Losses are mean squared errors of the predicted noise."""

    lora: Path
    steps: int
    seconds: float
    """Time spent in training steps."""
    steps_per_second: float
    loss_first: float
    """On fixed noise, before the first step."""
    loss_last: float
    """On the same noise at the end; when stopped early, at the last check before (five per run)."""
    stopped_by: StoppedBy
    run_json: Path
    metrics: Path
    losses: tuple[float, ...] = ()
    """Smoothed loss over the run, at most 500 points."""
    message: str = ""
    best_step: int = 0
    """The step that was saved; ``steps`` says the same."""
    why_best: str = ""
    alarms: tuple[str, ...] = ()
    signals: dict[str, float | None] = field(default_factory=dict)
    """What the samples of the saved point showed; None is "not measured"."""
    recommended_strength: float | None = None

    def to_json(self) -> dict[str, Any]:
        return RESULT.pack(self)

    @classmethod
    def from_json(cls, data: Any) -> TrainResult:
        return RESULT.unpack(cls, data)


def check(request: TrainRequest) -> None:
    """Find everything wrong with a request before anything heavy is loaded.

    Raises:
        UnsupportedModelError: the base cannot be trained.
        BadInputError: lists all other problems at once.
    """
    found = list(trigger_problems(request.trigger))
    kept = request.dataset.kept
    if not kept:
        found.append(say("training.no_photo", why=request.dataset.summary()))
    if request.encoded is None:
        found += photo_problems(request.dataset)
        found += _caption_problems(request)
        uncropped = [entry.name for entry in kept if entry.crop is None]
        if uncropped:
            found.append(say("training.not_cropped", n=len(uncropped), first=uncropped[0]))
    elif not Path(request.encoded).is_file():
        found.append(say("training.encoded_gone", path=request.encoded))
    if request.embedder is not None and not Path(request.embedder).is_file():
        found.append(say("training.no_embedder", path=request.embedder))
    if not 0 <= request.extend <= MAX_EXTEND:
        found.append(say("training.extend_range", n=request.extend, most=MAX_EXTEND))
    if request.extend and not request.resume:
        found.append(say("training.extend_resume"))
    if Path(request.out).suffix != ".safetensors":
        found.append(say("training.lora_suffix", name=Path(request.out).name))
    if Path(request.out).is_dir():
        found.append(say("training.out_is_folder", path=request.out))
    BadInputError.collect(found)
    family = registry.detect(request.base)
    found = family_problems(request.plan.family, family.preset, family.title, Path(request.base))
    if request.encoded is None and family.traits.encoded_by == "host":
        found.append(say("training.host_encodes", base=Path(request.base).name, title=family.title))
    BadInputError.collect(found)


def _caption_problems(request: TrainRequest) -> list[str]:
    if not request.trigger.strip():
        return []
    kept = request.dataset.kept
    without = [entry.name for entry in kept if not has_word(entry.caption, request.trigger)]
    if not without:
        return []
    return [
        f"{len(without)} of {len(kept)} captions do not hold the trigger word '{request.trigger}' "
        f"(first: '{without[0]}'). Caption the dataset with this trigger word."
    ]
