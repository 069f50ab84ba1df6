"""Names in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def either(names: Sequence[str]) -> str:
    """``'a' or 'b'``."""
    return " or ".join(f"'{name}'" for name in names)
