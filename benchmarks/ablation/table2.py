"""Table II: feature maps of the backbones."""

import sys

from benchmarks.ablation.paper import NOT_PUBLISHED, script, show
from benchmarks.flops import ALEXNET_SIDE, alexnet, vgg_m
from benchmarks.report.tables import Column, Table

SIDE = 224  # pixels; the text at hand does not say what the paper's is


@script(__doc__)
def main(_) -> None:
    """Print the sizes."""
    networks = {f"AlexNet on {ALEXNET_SIDE} x {ALEXNET_SIDE}": alexnet()}
    networks |= {f"{name} on {SIDE} x {SIDE}": vgg_m(ratio, SIDE) for name, ratio in (("VGG-M", 1), ("CF-VGG", 64))}
    rows = [
        [layers[0].name, *(f"{layer.side} x {layer.side} x {layer.channels}" for layer in layers)]
        for layers in zip(*networks.values(), strict=True)
    ]
    columns = [Column("level"), *map(Column, networks)]
    show(Table("table2", "Table II: feature maps, before pooling", columns, rows, NOT_PUBLISHED))


if __name__ == "__main__":
    sys.exit(main())
