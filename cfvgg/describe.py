"""What a file of weights holds, in words."""

from cfvgg.architecture import LAYERS, STRIDES, flops, minimum_size, parameters
from cfvgg.weights import Weights


def describe(weights: Weights) -> str:
    """A table of the levels, then sizes, cost and metadata; several lines of text."""
    full = tuple(layer.channels for layer in LAYERS)
    lines = ["level  channels  filters  cell (px)  smallest input (px)"]
    for layer, width in zip(LAYERS, weights.widths, strict=True):
        filters = f"{layer.kernel} x {layer.kernel}"
        lines.append(f"{layer.name}  {width:8d}  {filters:>7}  {STRIDES[layer.name]:9d}  {minimum_size(layer.name):19d}")
    count = parameters(weights.widths)
    picture = " x ".join(map(str, weights.mean.shape[1:]))
    facts = {
        "parameters": f"{count:,} ({parameters(full) / count:.1f} times fewer than VGG-M's convolutions)",
        "weights": f"{4 * count:,} bytes",
        "mean picture": f"{picture}, {weights.mean.nbytes:,} bytes",
        "224 x 224 input": f"{flops(weights.widths) / 1e6:,.1f} MFLOPs (VGG-M {flops(full) / 1e6:,.1f})",
        **weights.metadata,
    }
    width = max(map(len, facts))
    return "\n".join([*lines, "", *(f"{name:{width}}  {value}" for name, value in facts.items())])
