"""LoRA files: names, reading, writing, metadata, and putting them on a model."""
