"""How much memory this process has needed so far."""

from __future__ import annotations

import sys


def peak_memory_bytes() -> int:
    """Peak bytes on the accelerator when it is used, else of the process; 0 where nobody can tell."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        return int(torch.cuda.max_memory_reserved())
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # kB on Linux
