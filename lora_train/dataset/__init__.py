"""Folders of photos as immutable manifests."""

from .captions import caption_dataset
from .manifest import Crop, Dataset, Entry, Group, Reason, Warning_
from .photo import Photo, Unreadable, open_photo
from .scan import Scan, fingerprint, scan

__all__ = [
    "Crop",
    "Dataset",
    "Entry",
    "Group",
    "Photo",
    "Reason",
    "Scan",
    "Unreadable",
    "Warning_",
    "caption_dataset",
    "fingerprint",
    "open_photo",
    "scan",
]
