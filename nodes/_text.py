"""What the nodes say: findings as reports."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ._ui import Report, Tone


def folder_report(dataset: Any) -> Report:
    """How many photos a folder holds."""
    broken = len(dataset.unreadable)
    lines = [f"and {broken} that cannot be read"] if broken else []
    lines += [f"⚠ {warning.text}" for warning in dataset.warnings]
    return Report(f"{len(dataset.entries)} photos", "\n".join(lines), "warn" if lines else "info")


def audit_report(dataset: Any) -> Report:
    """Counts, reasons and warnings of a judged dataset."""
    kept, total = len(dataset.kept), len(dataset.entries) + len(dataset.unreadable)
    reasons = Counter(code for entry in dataset.rejected for code in entry.codes())
    reasons += Counter({"unreadable": len(dataset.unreadable)})
    lines = [f"Left out: {_counted(reasons)}"] if reasons else []
    lines += [f"⚠ {warning.text}" for warning in dataset.warnings]
    tone: Tone = "bad" if kept == 0 else "warn" if dataset.warnings else "good"
    return Report(f"{kept} of {total} photos kept", "\n".join(lines), tone, {"summary": dataset.summary()})


def crop_report(dataset: Any) -> Report:
    """How the kept photos were cut, and which crops are worth a look."""
    crops = [entry.crop for entry in dataset.pictures if entry.crop]
    photos = sum(entry.crop is not None for entry in dataset.kept)
    sizes = Counter(f"{crop.bucket[0]}×{crop.bucket[1]} px" for crop in crops)
    kinds = Counter(crop.kind for crop in crops)
    notes = Counter(r.code for e in dataset.kept for r in e.reasons if r.code in ("upscaled", "second_person"))
    lines = [f"Sizes: {_counted(sizes)}", f"Framings: {_counted(kinds)}"]
    lines += [f"⚠ {_counted(notes)}"] if notes else []
    title = f"{len(crops)} crops" + (f" of {photos} photos" if photos != len(crops) else "")
    return Report(title, "\n".join(lines), "warn" if notes else "good" if crops else "bad")


def caption_report(dataset: Any) -> Report:
    """The captions that will be trained, most frequent first, how often each tag is said, and warnings."""
    from ..lora_train.dataset.edits import tag_counts

    captions = Counter(entry.caption for entry in dataset.kept)
    lines = [f"{count} × {caption}" for caption, count in captions.most_common(5)]
    rest = len(captions) - len(lines)
    lines += [f"and {rest} others"] if rest > 0 else []
    tags = Counter({tag: n for tag, n in tag_counts(dataset).items() if n < len(dataset.kept)})
    lines += [f"Tags: {_counted(tags, most=12)}"] if len(captions) > 1 and tags else []
    warnings = [w.text for w in dataset.warnings if w.code == "captions"]
    lines += [f"⚠ {text}" for text in warnings]
    tone: Tone = "warn" if warnings else "info"
    return Report(f"Trigger word: {dataset.trigger}", "\n".join(lines), tone, {"tags": dict(tags)})


def decoded_report(found: Any) -> Report:
    """How many pictures a dataset gave."""
    sizes = Counter(f"{image.shape[2]}×{image.shape[1]} px" for image in found.images)
    lines = [f"Sizes: {_counted(sizes, most=6)}", *(f"⚠ {text}" for text in found.failed)]
    return Report(f"{len(found.images)} pictures", "\n".join(lines), "warn" if found.failed else "info")


def export_report(done: Any) -> Report:
    """What was written for a trainer, and where."""
    lines = [f"For {done.layout.title}", f"In {done.folder}", *(f"⚠ {u.reason}" for u in done.failed)]
    details = {"folder": str(done.folder), "layout": done.layout.id, "pictures": len(done.pictures)}
    tone: Tone = "warn" if done.failed else "good"
    return Report(f"{len(done.pictures)} pictures written", "\n".join(lines), tone, details)


def plan_report(plan: Any, usual: Any) -> Report:
    """A plan in words; ``usual`` is the one without the user's own numbers."""
    from ..lora_train.training.stepsize import compared, effective_step

    numbers = (
        f"rank {plan.rank}, alpha {plan.alpha:g}, learning rate {plan.learning_rate:g} ({plan.schedule}), "
        f"batch {plan.batch_size}, {plan.resolution_px} px"
    )
    size = f"Step size: {compared(effective_step(plan), effective_step(usual))}"
    own = f"Chosen would be {usual.steps} steps" if plan.steps != usual.steps else ""
    return Report(
        f"{plan.steps} steps", "\n".join(filter(None, [own, plan.why, numbers, size])), "info", plan.to_json()
    )


def _counted(counter: Counter[str], most: int | None = None) -> str:
    return ", ".join(f"{_words(name)} ({count})" for name, count in counter.most_common(most))


def _words(code: str) -> str:
    return code.replace("_", " ")
