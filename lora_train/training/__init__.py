"""Training: plan, encode, the loop, its own process. Start at :mod:`.run`."""
