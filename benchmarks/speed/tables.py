"""Timings as tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.report.tables import Column, Table
from benchmarks.speed.cost import Cost
from benchmarks.speed.stages import REST, STAGES, Profile
from benchmarks.speed.timing import Timing

MOST_BUSY, LEAST_BUSY = 1.05, 0.9
LARGEST_DIFFERENCE = 0.05  # of the sum of the stages from the time without clocks

Runs = Mapping[str, Sequence[Sequence[Timing]]]  # by tracker, of every target and round


def over_rounds(runs: Sequence[Sequence[Timing]]) -> dict[str, float]:
    """What one tracker's runs come to: medians over rounds of what each round comes to on all targets together.

    Returns
    -------
    dict of str to float
        ``first`` (median over targets), ``median``, ``p95``, ``p99``, ``worst`` in milliseconds, ``fps`` as frames by the sum of their
        times, ``busy`` and, in seconds, ``adaptation``.
    """
    found = []
    for turn in zip(*runs, strict=True):
        updates = np.concatenate([run.updates for run in turn])
        median, p95, p99, worst = 1000 * np.percentile(updates, (50, 95, 99, 100))
        found.append(
            {
                "first": 1000 * np.median([run.first for run in turn]),
                "adaptation": np.median([run.adaptation for run in turn]),
                "median": median,
                "p95": p95,
                "p99": p99,
                "worst": worst,
                "fps": len(updates) / updates.sum(),
                "busy": sum(run.busy * run.updates.sum() for run in turn) / updates.sum(),
            }
        )
    return {name: float(np.median([each[name] for each in found])) for name in found[0]}


def ratios(runs: Sequence[Sequence[Timing]], others: Sequence[Sequence[Timing]]) -> np.ndarray:
    """How many times as fast as another a tracker is, (targets, rounds): the other's median update over its own."""
    ours, theirs = (np.array([[np.median(run.updates) for run in target] for target in each]) for each in (runs, others))
    return theirs / ours


def speed_table(runs: Runs, costs: Mapping[str, Cost], where: str) -> Table:
    """A row for each tracker."""
    found = {name: over_rounds(each) for name, each in runs.items()}
    adapted = any(each["adaptation"] for each in found.values())
    columns = [
        Column("tracker"),
        Column("import, s", 2),
        Column("cold start, s", 2),
        Column("first frame, ms", 1),
        *[Column("adaptation, s", 2)] * adapted,
        *(Column(name, 2) for name in ("median, ms", "p95", "p99", "worst")),
        Column("fps", 1),
        Column("CPU / wall", 2),
        Column("memory, MB", 0),
        Column("model, MB", 2),
    ]
    rows = []
    for name, each in found.items():
        cost, adaptation = costs[name], [each["adaptation"] or None] * adapted
        timed = [each[key] for key in ("median", "p95", "p99", "worst", "fps", "busy")]
        rows.append([name, cost.importing, cost.cold, each["first"], *adaptation, *timed, cost.memory / 1e6, cost.model / 1e6 or None])
    notes = [f"{name} had several threads: no figures of one core" for name, each in found.items() if each["busy"] > MOST_BUSY]
    notes += [f"{name} shared its core: a quieter machine is better" for name, each in found.items() if each["busy"] < LEAST_BUSY]
    return Table("speed", f"CPU time on one core ({where})", columns, rows, "\n".join(notes))


def ratio_table(name: str, runs: Runs, peers: Sequence[str], targets: Sequence[str]) -> Table:
    """How many times as fast as others a tracker is: a row for each target and one for their medians, median and range over rounds."""
    columns, rows = [Column("target")], [[target] for target in (*targets, "median")]
    for peer in peers:
        columns += [Column(f"{peer}{what}", 2) for what in ("", " low", " high")]
        found = ratios(runs[name], runs[peer])
        for row, rounds in zip(rows, (*found, np.median(found, axis=0)), strict=True):
            row += [float(value) for value in (np.median(rounds), rounds.min(), rounds.max())]
    return Table(f"{name}-ratios", f"{name}: how many times as fast as ...", columns, rows)


def stage_table(profiles: Mapping[str, Profile]) -> Table:
    """A row for each stage; milliseconds of an update and shares of each tracker."""
    columns, rows = [Column("stage")], [[stage] for stage in (*STAGES, REST, "sum", "without clocks")]
    for name, profile in profiles.items():
        columns += [Column(f"{name}, ms", 3), Column(f"{name}, %", 1)]
        for row, seconds in zip(rows, (*profile.stages.values(), sum(profile.stages.values()), profile.plain), strict=True):
            row += [1000 * seconds, 100 * seconds / profile.plain]
    notes = [
        f"{name}: the sum is {100 * profile.difference:+.1f} % off the time without clocks: measure again on a quieter machine"
        for name, profile in profiles.items()
        if abs(profile.difference) > LARGEST_DIFFERENCE
    ]
    return Table("stages", "Stages of an update, CPU time on one core", columns, rows, "\n".join(notes))
