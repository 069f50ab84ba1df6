"""What a model is told about a picture: one text as the host's or the shell's encoders gave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Conditions:
    """Texts of n pictures. A row is padded with zeros; ``lengths`` says how much of it is real.

    Lengths are plain numbers, so that choosing rows by them never waits for an accelerator.
    """

    text: torch.Tensor
    """(n, tokens, width)."""
    lengths: tuple[int, ...]
    """Real tokens of each row."""
    pooled: torch.Tensor | None = None
    """(n, pooled width): one vector a text, for the families that read one."""

    @classmethod
    def of(cls, text: torch.Tensor, pooled: torch.Tensor | None = None) -> Conditions:
        """From (n, tokens, width) and (n, pooled width), every token real."""
        return cls(text, (text.shape[1],) * text.shape[0], pooled)

    @classmethod
    def join(cls, parts: Sequence[Conditions]) -> Conditions:
        """All rows of ``parts`` one after the other, padded to the longest."""
        import torch
        from torch.nn.functional import pad

        longest = max(part.text.shape[1] for part in parts)
        text = torch.cat([pad(part.text, (0, 0, 0, longest - part.text.shape[1])) for part in parts])
        vectors = [part.pooled for part in parts if part.pooled is not None]
        pooled = torch.cat(vectors) if len(vectors) == len(parts) else None
        return cls(text, tuple(length for part in parts for length in part.lengths), pooled)

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, chosen: Sequence[int]) -> Conditions:
        """The rows with these numbers, in this order."""
        index = list(chosen)
        pooled = None if self.pooled is None else self.pooled[index]
        return Conditions(self.text[index], tuple(self.lengths[i] for i in index), pooled)

    def repeat(self, times: int) -> Conditions:
        """A single row, ``times`` times."""
        return self.rows([0] * times)

    def to(self, device: object, dtype: torch.dtype | None = None) -> Conditions:
        """The same on another device, or in another number format."""
        pooled = None if self.pooled is None else self.pooled.to(device, dtype)  # type: ignore[call-overload]
        return Conditions(self.text.to(device, dtype), self.lengths, pooled)  # type: ignore[call-overload]

    def by_length(self) -> list[tuple[list[int], Conditions]]:
        """Rows of equal length together, cut to it: ``[(row numbers, conditions without padding)]``.

        Models then see exactly the tokens that ComfyUI shows them, whatever their masks do.
        """
        groups: dict[int, list[int]] = {}
        for number, length in enumerate(self.lengths):
            groups.setdefault(length, []).append(number)
        return [(numbers, self.rows(numbers)._cut(length)) for length, numbers in groups.items()]

    def _cut(self, length: int) -> Conditions:
        return Conditions(self.text[:, :length], self.lengths, self.pooled)
