"""Lorasmith's core: from a folder of photos to a LoRA that is worth keeping.

Pure Python, torch, Pillow and numpy. It never imports ComfyUI, and heavy libraries
(diffusers, peft, transformers, open_clip) are imported inside the functions that need them.
"""

__version__ = "0.1.0"
