"""Table III: compressions of the network: size, accuracy and speed."""

import sys

from benchmarks.ablation.paper import dataset, script, show, targets, timing, trained, training
from benchmarks.ablation.rows import PUBLISHED
from benchmarks.ablation.tables import MEASURED
from benchmarks.flops import flops, parameters, vgg_m
from benchmarks.report.tables import Column, Table, percent
from benchmarks.speed.paper import trackers
from benchmarks.vgg_m import PUBLISHED_MB
from cfvgg.architecture import RATIOS


@script(__doc__, dataset("otb"), timing, training)
def main(given) -> None:
    """Print what is there and measure the rest."""
    ours, rows = trained(given.ablation).get("fECO", {}), []
    for ratio in RATIOS:
        network, published = vgg_m(ratio), PUBLISHED["fECO"][f"ratio{ratio}"][MEASURED]
        count = parameters(network)
        sizes = [count, parameters(vgg_m()) / count, 4e-6 * count, PUBLISHED_MB[ratio], flops(network) / 1e6]
        rows.append([ratio, *sizes, ours.get(f"ratio{ratio}"), published / 100])
    columns = [Column("ratio", 0), Column("parameters", 0), Column("fewer", 1), Column("MB of float32", 2), Column("published MB", 2)]
    columns += [Column("MFLOP", 1), percent("AUC"), percent("published")]
    note = "AUC in percent: of the trained rows, on their sequences; published: OTB-2015. The teacher's own, ECO with VGG-M: 69.4."
    show(Table("table3", "Table III: size and accuracy of fECO's network", columns, rows, note))
    if given.rounds:
        print()
        show(trackers("III", targets(given).sequences, given.rounds, given.frames))


if __name__ == "__main__":
    sys.exit(main())
