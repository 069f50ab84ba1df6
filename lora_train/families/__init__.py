"""Base-model families: what a checkpoint is, and how to load it. Start at :mod:`.registry`."""
