"""The way from VGG-M itself to each compression of it: ``python -m benchmarks.vgg_m --data FOLDER --out FOLDER``.

VGG-M's weights are not part of this project, so a VGG-M of random filters takes their place: written as MatConvNet writes it, read, pruned,
and the student taught by it in a few steps. What is shown is that the student comes nearer to it at every level on held-out pairs; such a
student is of no use. Random filters are no good to a tracker, so the tracking loss leads away from them: it has a small weight. With
VGG-M's own file, ``--teacher imagenet-vgg-m-2048.mat``, the same is done with that.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from cfvgg import weights
from cfvgg.architecture import LAYERS, LEVELS, LRN_ALPHA, LRN_BETA, LRN_KAPPA, LRN_WINDOW, RATIOS, channels, flops, parameters
from cfvgg.errors import TrackerError
from cfvgg.weights import Weights
from distill.config import Config
from distill.students import SPREADS, random_student
from distill.teachers.base import MEAN_COLOUR, colour
from distill.train import train

PUBLISHED_MB = {1: 95, 16: 5.8, 32: 2.9, 64: 1.5, 96: 0.99}  # Wang et al. 2020, Table III


def random_vgg_m(seed: int = 0) -> Weights:
    """VGG-M with random filters, each layer scaled to the spread that CF-VGG's has on noise."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (2, 3, 96, 96), dtype=np.uint8)
    return random_student(channels(1), colour(MEAN_COLOUR).numpy(), noise, SPREADS, rng).export()


def save_mat(given: Weights, path: Path) -> None:
    """Write a network as MatConvNet does ('simplenn')."""
    layers: list[dict] = []
    for number, (layer, filters, biases) in enumerate(zip(LAYERS, given.filters, given.biases, strict=True), 1):
        stored = np.empty((1, 2), object)
        stored[0] = [filters.transpose(2, 3, 1, 0), biases[:, None]]
        pad, stride = [float(layer.padding)] * 4, [float(layer.stride)] * 2
        layers.append({"name": layer.name, "type": "conv", "weights": stored, "pad": pad, "stride": stride})
        layers.append({"name": f"relu{number}", "type": "relu"})
        if layer.normalised:
            layers.append({"name": f"norm{number}", "type": "lrn", "param": [float(LRN_WINDOW), LRN_KAPPA, LRN_ALPHA, LRN_BETA]})
        if layer.pooled:
            layers.append({"name": f"pool{number}", "type": "pool", "pool": [3.0, 3.0], "stride": [2.0, 2.0], "pad": [0.0, 1.0, 0.0, 1.0]})
    cell = np.empty((1, len(layers)), object)
    cell[0] = layers
    mean = given.mean.transpose(1, 2, 0).astype(float)
    savemat(path, {"net": {"layers": cell, "meta": {"normalization": {"averageImage": mean, "imageSize": [224.0, 224.0, 3.0]}}}})


def sizes() -> str:
    """A table of all compressions: channels, numbers, bytes in single precision, cost at 224 x 224, and what the paper says of bytes."""
    lines = ["ratio  channels               parameters  MB     MFLOPs   MB as published"]
    for ratio in RATIOS:
        widths = channels(ratio)
        count, text = parameters(widths), " ".join(map(str, widths))
        lines.append(f"{ratio:5}  {text:21}  {count:10,}  {4e-6 * count:5.2f}  {flops(widths) / 1e6:7,.1f}  {PUBLISHED_MB[ratio]:g}")
    return "\n".join(lines)


def taught(teacher: Path, data: str, out: Path, config: Config) -> list[dict[str, float]]:
    """Train a student, or go on with one that was begun, and return the held-out fidelity by level before and after."""
    train(config, [str(teacher)], [data], out, resume=out.with_suffix(".checkpoint").is_file())
    weights.load(out)  # the file is whole
    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    return [{name.partition("/")[2]: value for name, value in line["fidelity"].items()} for line in (lines[0], lines[-1])]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code: 1 if a level came no nearer."""
    parser = argparse.ArgumentParser("python -m benchmarks.vgg_m", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--data", required=True, metavar="FOLDER", help="pictures, see cfvgg distill")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the weights, and for the teacher if there is none")
    parser.add_argument("--teacher", type=Path, metavar="FILE", help="VGG-M (one of random filters)")
    parser.add_argument("--ratios", type=float, nargs="*", default=RATIOS[1:], help="to train (%(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="of training (%(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="pairs of a step (%(default)s)")
    parser.add_argument("--side", type=int, default=96, help="pixels of a crop (%(default)s)")
    parser.add_argument("--rate", type=float, default=3e-4, help="learning rate of AdamW (%(default)s)")
    parser.add_argument("--tracking", type=float, default=0.1, help="weight of the tracking loss (%(default)s)")
    parser.add_argument("--validation", type=int, default=128, help="held-out pairs (%(default)s)")
    given = parser.parse_args(argv)
    print(sizes())
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        teacher = given.teacher or given.out / "random-vgg-m.mat"
        if given.teacher is None:
            save_mat(random_vgg_m(), teacher)
        print(f"\nheld-out fidelity before and after {given.steps} steps\nratio  " + "  ".join(f"{level:13}" for level in LEVELS))
        nearer = True
        for ratio in given.ratios:
            config = Config(
                ratio=float(ratio), epochs=1, pairs=given.steps * given.batch, batch=given.batch, side=given.side, optimiser="adamw",
                rate=given.rate, decay=0.0, warmup=min(20, given.steps // 4), tracking=given.tracking, validation=given.validation,
            )  # fmt: skip
            before, after = taught(teacher, given.data, given.out / f"student{ratio:g}.safetensors", config)
            print(f"{ratio:5g}  " + "  ".join(f"{before[level]:.4f} {after[level]:.4f}" for level in before), flush=True)
            nearer &= all(after[level] < before[level] for level in before)
    except TrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if nearer else 1


if __name__ == "__main__":
    sys.exit(main())
