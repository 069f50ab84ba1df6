"""Names in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def quoted(names: Sequence[str]) -> list[str]:
    """``["'a'", "'b'"]``."""
    return [f"'{name}'" for name in names]
