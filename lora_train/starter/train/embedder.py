"""Train the starter embedder: a small open_clip model that knows the renderer's world.

Two losses on the same pictures: contrast against full captions (as CLIP), and zero-shot questions
(``evaluation/questions.json``) answered through the text tower, so that the answers an
audit or a likeness test asks for are trained, not hoped for.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...evaluation.questions import load_questions
from .. import starter_embedder_files
from ..background import PAINTERS
from ..traits import BEARD, CLOTHES, EXPRESSION, EYES, FACE, GLASSES, HAIR_COLOR, HAIR_STYLE, MARK, SHOT, SKIN
from .data import COUNT, PICTURES, Sample, draw, log_line, pictures
from .muon import Muon

PLACES = tuple(PAINTERS)


def labels(sample: Sample) -> dict[str, int]:
    """The right answer to each question that this picture can answer."""
    scene, who = sample.scene, sample.people[0]
    out = {
        "people": len(sample.people) - 1,
        "place": PLACES.index(scene.background),
        "clothes": list(CLOTHES).index(scene.clothes),
    }
    if len(sample.people) > 1:
        return out
    small = sample.share < 1
    out["shot"] = 3 if small else SHOT.index(scene.shot)
    if small or scene.shot == "full body":
        return out | {"skin": list(SKIN).index(who.skin)}
    out |= {
        "hair_style": HAIR_STYLE.index(who.hair_style),
        "skin": list(SKIN).index(who.skin),
        "beard": BEARD.index(who.beard),
        "glasses": GLASSES.index(scene.glasses),
        "expression": EXPRESSION.index(scene.expression),
        "face": FACE.index(who.face),
    }
    if who.hair_style != "bald":
        out["hair_colour"] = list(HAIR_COLOR).index(who.hair_color)
    if scene.glasses != "sunglasses" and scene.expression != "laughing":
        out["eyes"] = list(EYES).index(who.eyes)
    if scene.shot == "close-up portrait":
        out["mark"] = MARK.index(who.mark)
    return out


def full_caption(sample: Sample, rng: Random) -> str:
    """Nearly everything that is true, in any order."""
    words = [] if sample.crowd else sample.people[0].phrases() + sample.scene.phrases()
    words = words or sample.scene.phrases()[:2]
    words += [sample.scene.shot if sample.share == 1 else "tiny figure far away"]
    words = [w for w in words if rng.random() < 0.85]
    rng.shuffle(words)
    return f"photo of {COUNT[len(sample.people)] or 'a person'}" + "".join(f", {w}" for w in words)


def augment(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirror, shift and zoom a little, change the light, soften, add grain. (B, 3, 96, 96) in 0 .. 1."""
    size = len(x)
    zoom = torch.from_numpy(rng.uniform(0.84, 1.04, size)).float()
    flip = torch.from_numpy(rng.choice((-1.0, 1.0), size)).float()
    theta = torch.zeros(size, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = zoom * flip, zoom
    theta[:, :, 2] = torch.from_numpy(rng.uniform(-0.07, 0.07, (size, 2))).float()
    x = F.grid_sample(
        x, F.affine_grid(theta, x.shape, align_corners=False), padding_mode="reflection", align_corners=False
    )
    soft = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="bilinear")
    mix = torch.from_numpy(np.maximum(0, rng.uniform(-0.6, 1.0, size))).float().view(-1, 1, 1, 1)
    gain = torch.from_numpy(rng.uniform(0.88, 1.1, size)).float().view(-1, 1, 1, 1)
    x = (x + (soft - x) * mix) * gain
    return (x + torch.randn_like(x) * float(rng.uniform(0, 0.04))).clamp(0, 1)


def question_loss(
    images: Tensor, text: nn.Module, truth: list[dict[str, int]], scale: Tensor, rng: Random
) -> tuple[Tensor, dict[str, float]]:
    """Mean cross-entropy over the questions, and the share of right answers."""
    questions = load_questions()
    prompts = [rng.choice(answer) for q in questions for answer in q.prompts]
    vectors = F.normalize(text(prompts), dim=-1)
    losses, right, first = [], {}, 0
    for q in questions:
        rows = [i for i, t in enumerate(truth) if q.id in t]
        logits = scale * images[rows] @ vectors[first : first + len(q.labels)].T
        target = torch.tensor([truth[i][q.id] for i in rows])
        losses.append(F.cross_entropy(logits, target))
        right[q.id] = float((logits.argmax(1) == target).float().mean())
        first += len(q.labels)
    return torch.stack(losses).mean(), right


def train(
    work: Path,
    minutes: float,
    count: int = PICTURES,
    size: int = 80,
    rate: float = 1.5e-3,
    muon_rate: float = 0.01,
    seed: int = 3,
) -> None:
    """Train for ``minutes``, from the package's weights where there are any; write them as fp16.

    The last 1,000 pictures are held out.
    """
    import open_clip

    config, target = starter_embedder_files()
    again = target.exists()
    seed, peak = (seed + 1, 0.5) if again else (seed, 1.0)
    torch.manual_seed(seed)
    open_clip.add_model_config(config)
    model = open_clip.create_model(config.stem, pretrained=None)
    if again:
        model.load_state_dict(load_file(target))
        model.float()
    tokens = open_clip.get_tokenizer(config.stem)
    mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN).view(1, 3, 1, 1)
    std = torch.tensor(open_clip.OPENAI_DATASET_STD).view(1, 3, 1, 1)
    data = pictures(work, count)
    samples = [draw(i) for i in range(count)]
    truth = [labels(s) for s in samples]
    inner = [p for n, p in model.visual.named_parameters() if p.ndim >= 2 and min(p.shape[:2]) >= 16 and "pos" not in n]
    chosen = {id(p) for p in inner}
    outer = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(inner)
    optimizer = torch.optim.AdamW(outer, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    rng, words, start, step = np.random.default_rng(seed), Random(seed), time.time(), 0

    def text(prompts: list[str]) -> Tensor:
        return model.encode_text(tokens(prompts))

    def load(rows: np.ndarray) -> Tensor:
        return torch.from_numpy(data[rows]).permute(0, 3, 1, 2).float() / 255

    while (done := (time.time() - start) / (60 * minutes)) < 1:
        factor = peak * min(1, (step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        rows = rng.integers(0, count - 1000, size)
        pixels = (augment(load(rows), rng) - mean) / std
        with torch.autocast("cpu", torch.bfloat16):
            images = model.encode_image(pixels)
        images = F.normalize(images.float(), dim=-1)
        scale = model.logit_scale.exp().clamp(max=60)
        asked, right = question_loss(images, text, [truth[i] for i in rows], scale, words)
        said = F.normalize(text([full_caption(samples[i], words) for i in rows]), dim=-1)
        logits, own = scale * images @ said.T, torch.arange(size)
        contrast = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        loss = 0.5 * contrast + 3 * asked
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(outer, 1.0)
        optimizer.step()
        muon.step(muon_rate * factor)
        step += 1
        if step % 100 == 0:
            log_line(
                Path(work) / "embedder.jsonl",
                step=step,
                seconds=round(time.time() - start),
                contrast=round(float(contrast.detach()), 3),
                asked=round(float(asked.detach()), 3),
                **{k: round(v, 2) for k, v in right.items()},
            )
    model.eval()
    held = np.arange(count - 1000, count)
    with torch.no_grad():
        images = F.normalize(model.encode_image((load(held) - mean) / std), dim=-1)
        _, right = question_loss(images, text, [truth[i] for i in held], model.logit_scale.exp(), Random(0))
    log_line(Path(work) / "embedder.jsonl", held_out=right)
    save_file({k: v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}, target)
