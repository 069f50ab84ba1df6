"""What the nodes say: findings as reports."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..lora_train.dataset.manifest import title_of
from ..lora_train.say import say
from ._ui import Report, Tone


def folder_report(dataset: Any) -> Report:
    """How many photos a folder holds."""
    broken = len(dataset.unreadable)
    lines = [say("node.and_unreadable", n=broken)] if broken else []
    lines += [f"⚠ {warning.text}" for warning in dataset.warnings]
    return Report(say("node.photos", n=len(dataset.entries)), "\n".join(lines), "warn" if lines else "info")


def audit_report(dataset: Any) -> Report:
    """Counts, reasons and warnings of a judged dataset."""
    kept, total = len(dataset.kept), len(dataset.entries) + len(dataset.unreadable)
    reasons = Counter(code for entry in dataset.rejected for code in entry.codes())
    reasons += Counter({"unreadable": len(dataset.unreadable)})
    lines = [say("node.left_out", reasons=_findings(reasons))] if reasons else []
    lines += [f"⚠ {warning.text}" for warning in dataset.warnings]
    tone: Tone = "bad" if kept == 0 else "warn" if dataset.warnings else "good"
    title = say("node.photos_kept", kept=kept, total=total)
    return Report(title, "\n".join(lines), tone, {"summary": dataset.summary()})


def crop_report(dataset: Any) -> Report:
    """How the kept photos were cut, and which crops are worth a look."""
    crops = [entry.crop for entry in dataset.pictures if entry.crop]
    photos = sum(entry.crop is not None for entry in dataset.kept)
    sizes = Counter(f"{crop.bucket[0]}×{crop.bucket[1]} px" for crop in crops)
    kinds = Counter(say(f"report.crop_{crop.kind}") for crop in crops)
    notes = Counter(r.code for e in dataset.kept for r in e.reasons if r.code in ("upscaled", "second_person"))
    lines = [say("node.sizes", sizes=_counted(sizes)), say("node.framings", framings=_counted(kinds))]
    lines += [f"⚠ {_joined(_findings(notes))}"] if notes else []
    title = say("node.crops", n=len(crops))
    if photos != len(crops):
        title = say("node.crops_of", n=len(crops), photos=photos)
    return Report(title, "\n".join(lines), "warn" if notes else "good" if crops else "bad")


def caption_report(dataset: Any) -> Report:
    """The captions that will be trained, most frequent first, how often each tag is said, and warnings."""
    from ..lora_train.dataset.edits import tag_counts

    captions = Counter(entry.caption for entry in dataset.kept)
    lines = [f"{count} × {caption}" for caption, count in captions.most_common(5)]
    rest = len(captions) - len(lines)
    lines += [say("node.and_others", n=rest)] if rest > 0 else []
    tags = Counter({tag: n for tag, n in tag_counts(dataset).items() if n < len(dataset.kept)})
    lines += [say("node.tags", tags=_counted(tags, most=12))] if len(captions) > 1 and tags else []
    warnings = [w.text for w in dataset.warnings if w.code == "captions"]
    lines += [f"⚠ {text}" for text in warnings]
    tone: Tone = "warn" if warnings else "info"
    return Report(say("node.trigger", word=dataset.trigger), "\n".join(lines), tone, {"tags": dict(tags)})


def decoded_report(found: Any) -> Report:
    """How many pictures a dataset gave."""
    sizes = Counter(f"{image.shape[2]}×{image.shape[1]} px" for image in found.images)
    lines = [say("node.sizes", sizes=_counted(sizes, most=6)), *(f"⚠ {text}" for text in found.failed)]
    return Report(say("node.pictures", n=len(found.images)), "\n".join(lines), "warn" if found.failed else "info")


def export_report(done: Any) -> Report:
    """What was written for a trainer, and where."""
    lines = [say("node.for_trainer", name=done.layout.title), say("node.in_folder", folder=done.folder)]
    lines += [f"⚠ {u.reason}" for u in done.failed]
    details = {"folder": str(done.folder), "layout": done.layout.id, "pictures": len(done.pictures)}
    tone: Tone = "warn" if done.failed else "good"
    return Report(say("node.written", n=len(done.pictures)), "\n".join(lines), tone, details)


def plan_report(plan: Any, usual: Any) -> Report:
    """A plan in words; ``usual`` is the one without the user's own numbers."""
    from ..lora_train.training.stepsize import compared, effective_step

    numbers = say(
        "node.plan_numbers",
        rank=plan.rank,
        alpha=plan.alpha,
        rate=plan.learning_rate,
        schedule=plan.schedule,
        batch=plan.batch_size,
        resolution=plan.resolution_px,
    )
    size = say("node.step_size", text=compared(effective_step(plan), effective_step(usual)))
    own = say("node.chosen_steps", n=usual.steps) if plan.steps != usual.steps else ""
    text = "\n".join(filter(None, [own, plan.why, numbers, size]))
    return Report(say("node.steps", n=plan.steps), text, "info", plan.to_json())


def _findings(codes: Counter[str]) -> list[str]:
    """Findings by their codes and how often each was made, the most frequent first."""
    return [f"{title_of(code)} ({count})" for code, count in codes.most_common()]


def _counted(counter: Counter[str], most: int | None = None) -> list[str]:
    return [f"{name} ({count})" for name, count in counter.most_common(most)]


def _joined(items: list[str]) -> str:
    return say("node.list", items=items)
