"""Which photos to keep, and why. Three layers: measures give scores, limits are data, judging is pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..dataset.manifest import Dataset
from ..dataset.photo import Unreadable
from ..dataset.scan import Scan, scan
from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .checks import ALL, CHECKS, Asked
from .evidence import Evidence, EvidenceSet
from .judge import Judgement, Override, judge
from .limits import DEFAULT_LIMITS, Limits, load_limits
from .look import Lookers, look_at_all
from .measure import Measured, measure
from .tags.ask import Tagger, load_tagger

if TYPE_CHECKING:
    from ..faces.types import FaceAnalyzer

__all__ = [
    "CHECKS",
    "DEFAULT_LIMITS",
    "Asked",
    "Evidence",
    "EvidenceSet",
    "Judgement",
    "Limits",
    "Measured",
    "Override",
    "Tagger",
    "audit",
    "gather",
    "judge",
    "judged",
    "load_limits",
    "load_tagger",
    "measure",
]


def audit(
    folder_or_scan: Path | str | Scan,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    *,
    analyzer: FaceAnalyzer | Literal["auto"] | None = "auto",
    tagger: Tagger | None = None,
    purpose: str = "character",
    overrides: Mapping[str, Override] | None = None,
    only: Collection[str] | None = None,
) -> Dataset:
    """Scan, measure and judge a folder. Photos that cannot be decoded move to ``unreadable``.

    Args:
        analyzer: who looks for faces; "auto" is the best one installed, None nobody.
        tagger: who answers questions in words, from :func:`load_tagger`; None nobody.
        purpose: "character", "style" or "object"; faces and framing are judged for a character only.
        overrides: the user's verdicts by file name; names that are not in the folder are ignored.
        only: names of :data:`CHECKS`; the others cost nothing and are reported as not judged.

    Raises:
        BadInputError: the folder is missing or holds no readable photo, or there is no such check.
    """
    observer = observer or NullObserver()
    asked = Asked.of(only)
    found = folder_or_scan if isinstance(folder_or_scan, Scan) else scan(Path(folder_or_scan), observer)
    evidence, broken = gather(found, observer, analyzer=analyzer, tagger=tagger, asked=asked)
    return judged(found, evidence, broken, judge(evidence, limits, purpose=purpose, overrides=overrides))


def gather(
    found: Scan,
    observer: Observer | None = None,
    *,
    analyzer: FaceAnalyzer | Literal["auto"] | None = "auto",
    tagger: Tagger | None = None,
    asked: Asked = ALL,
) -> tuple[EvidenceSet, tuple[Unreadable, ...]]:
    """Everything that can be known about the photos of a scan: the slow part, to be judged again and again.

    Raises:
        BadInputError: none of the photos can be decoded.
    """
    if "faces" not in asked:
        analyzer = None
    if analyzer == "auto":
        from ..faces import best_analyzer

        analyzer = best_analyzer()
    lookers = Lookers(analyzer, tagger if "words" in asked else None, asked)
    evidence, broken = look_at_all(found.photos, lookers, observer or NullObserver())
    if not evidence:
        raise BadInputError(say("audit.none_readable", folder=found.folder, why=broken[0].reason))
    return EvidenceSet(tuple(evidence), asked=asked), tuple(broken)


def judged(found: Scan, evidence: EvidenceSet, broken: tuple[Unreadable, ...], verdicts: Judgement) -> Dataset:
    """The manifest of a scan with its verdicts; ``broken`` joins what the scan could not read."""
    dataset = Dataset.of(replace(found, photos=(), unreadable=(*found.unreadable, *broken)))
    return replace(
        dataset,
        entries=verdicts.entries,
        groups=verdicts.groups,
        warnings=(*dataset.warnings, *verdicts.warnings),
        not_judged=verdicts.not_judged,
        stats=verdicts.stats,
        score=verdicts.score,
        score_max=verdicts.score_max,
        next_steps=verdicts.next_steps,
    )
