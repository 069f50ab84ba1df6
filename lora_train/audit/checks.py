"""What can be asked of an audit, by name, and what each answer needs: so that a part costs a part.

A check that was not asked for is not judged, which is never the same as good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..errors import BadInputError
from ..say import say

FULL_SIDE_PX = 1536
"""Longer side at which a photo is decoded at least for those who look for people and for JPEG blocks."""


@dataclass(frozen=True)
class Check:
    """``measures``: names in :data:`.measure.MEASURES`; ``side_px``: longer side to decode at least, 0: no pixel."""

    title: str
    measures: tuple[str, ...] = ()
    side_px: int = 0


CHECKS: dict[str, Check] = {
    "size": Check("the size of the file"),
    "sharpness": Check("blur", ("blur_px",), 1024),
    "noise": Check("grain", ("noise",), 1024),
    "light": Check("exposure and contrast", ("light", "burnt_share", "shadow_light", "brightness", "contrast"), 256),
    "colour": Check("filters, black and white", ("chroma", "hue_spread"), 256),
    "tilt": Check("a leaning camera", ("tilt_deg",), 256),
    "compression": Check("JPEG blocks", ("jpeg_blocks",), FULL_SIDE_PX),
    "text": Check("letters and watermarks", ("text_share",), 1024),
    "background": Check("busy and repeated surroundings", ("border_edges", "border_colours"), 256),
    "duplicates": Check("the same shot again", (), 160),
    "faces": Check("people: number, eyes, pose, light, identity", (), FULL_SIDE_PX),
    "words": Check("questions in words, by a CLIP model", (), FULL_SIDE_PX),
}

_LOOKERS = frozenset({"faces", "words"})
"""Checks with memories of their own, made by somebody else than the pixel measures."""


@dataclass(frozen=True)
class Asked:
    """Which checks are made; all of them without ``names``."""

    names: frozenset[str] = frozenset(CHECKS)

    @classmethod
    def of(cls, names: Iterable[str] | None) -> Asked:
        """The checks of these names, all for None.

        Raises:
            BadInputError: no name, or one that is no check; lists what there is.
        """
        if names is None:
            return cls()
        chosen = frozenset(names)
        unknown = sorted(chosen - set(CHECKS))
        if unknown or not chosen:
            known = list(CHECKS)
            names = [repr(name) for name in unknown]
            raise BadInputError(
                say("audit.no_such_check", names=names, known=known) if names else say("audit.no_check", known=known)
            )
        return cls(chosen)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @cached_property
    def whole(self) -> bool:
        return self.names == frozenset(CHECKS)

    @cached_property
    def measures(self) -> frozenset[str]:
        return frozenset(m for name in self.names for m in CHECKS[name].measures)

    @cached_property
    def side_px(self) -> int:
        """Longer side to decode at least, so that everybody who was asked sees enough; 0: nobody needs pixels."""
        return max(CHECKS[name].side_px for name in self.names)

    @cached_property
    def pixels(self) -> frozenset[str]:
        """The checks that are made on pixels alone."""
        return frozenset(n for n in self.names - _LOOKERS if CHECKS[n].side_px)

    @cached_property
    def key(self) -> str:
        """Tells apart what was measured for different questions: a part is never taken for the whole."""
        if self.pixels == ALL.pixels:
            return "whole"
        return "-".join((*sorted(self.pixels), str(self.side_px)))


ALL = Asked()

CHECK_OF_SCORE: dict[str, str] = {
    "side_px": "size",
    **{measure: name for name, check in CHECKS.items() for measure in check.measures},
}
"""Score of the pixels or of the file -> the check that it belongs to."""
