"""Figure 6: floating-point operations of the backbones."""

import sys

from matplotlib.figure import Figure

from benchmarks.ablation.paper import NOT_PUBLISHED, drawing, save, script, show
from benchmarks.flops import alexnet, flops, parameters, vgg_m
from benchmarks.report.tables import Column, Table
from cfvgg.architecture import RATIOS

NAMES = {1: "VGG-M (ECO)", 64: "CF-VGG"}


@script(__doc__, drawing("figure6.png"))
def main(given) -> None:
    """Print and draw."""
    networks = {"AlexNet (SiamFC)": alexnet(), **{NAMES.get(ratio, f"ratio {ratio}"): vgg_m(ratio) for ratio in RATIOS}}
    work = {name: flops(network) / 1e6 for name, network in networks.items()}
    columns = [Column("backbone"), Column("MFLOP", 1), Column("parameters", 0), Column("MFLOP over CF-VGG's", 1)]
    rows = [[name, cost, parameters(networks[name]), cost / work["CF-VGG"]] for name, cost in work.items()]
    title = "Figure 6: operations on a sample (AlexNet 255 x 255, VGG-M 224 x 224)"
    show(Table("figure6", title, columns, rows, NOT_PUBLISHED))
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    axes.bar_label(axes.barh(list(work), list(work.values())), fmt="%.0f", padding=3)
    axes.set(xscale="log", xlabel="MFLOP", xlim=(10, 20_000))
    axes.invert_yaxis()
    save(figure, given.out)


if __name__ == "__main__":
    sys.exit(main())
