"""Fetching LoRAs from Civitai and Hugging Face: what a link is, what the hub says, a checked file.

Nothing here runs by itself: :func:`~.resolve.resolve` asks a hub and :func:`~.download.download` fetches
a file, each when a user asks for it.
"""
