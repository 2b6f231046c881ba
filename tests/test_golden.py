"""No tracker is more or less accurate than it was. Whoever changes one on purpose runs ``python -m benchmarks.golden --write``."""

import json

import pytest

from benchmarks import datasets, golden


@pytest.mark.parametrize("part", golden.QUICK)
def test_accuracy_is_as_it_was(part, shared):
    dataset = datasets.load(part, None if part == "synthetic" else shared("data/otb"))
    found = golden.measure(dataset, golden.QUICK[part], golden.FRAMES)
    assert golden.deviations(found, golden.remembered("quick", part)) == []


def test_means_may_be_off_by_as_much_as_is_allowed():
    before = {name: {"A": 0.5, "B": 0.7} for name in ("fECO", "KCF")}
    assert golden.deviations({"fECO": {"A": 0.559, "B": 0.7}, "KCF": {"A": 0.489, "B": 0.7}}, before) == []
    assert golden.deviations({"fECO": {"A": 0.3, "B": 0.9}}, before) == []
    lines = golden.deviations({"fECO": {"A": 0.561, "B": 0.7}, "KCF": {"A": 0.5, "B": 0.687}}, before)
    assert lines == [
        "fECO: mean AUC changed by +0.0305, allowed is 0.03: A 0.500 -> 0.561, B 0.700 -> 0.700",
        "KCF: mean AUC changed by -0.0065, allowed is 0.006: A 0.500 -> 0.500, B 0.700 -> 0.687",
    ]


def test_other_targets_are_a_deviation():
    assert golden.deviations({"KCF": {"A": 0.5}}, {"KCF": {"B": 0.5}}) == ["KCF: targets are A; remembered are B"]
    assert golden.deviations({"KCF": {"A": 0.5}}, {}) == ["KCF: targets are A; remembered are none"]


def test_the_command_writes_and_compares(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(golden, "FILE", tmp_path / "golden.json")
    monkeypatch.setattr(golden, "TRACKERS", ("MOSSE",))
    monkeypatch.setattr(golden, "FRAMES", 3)
    assert golden.main([]) == 1
    assert "remembered are none" in capsys.readouterr().err
    assert golden.main(["--write"]) == 0
    assert golden.main([]) == 0
    content = json.loads(golden.FILE.read_text())
    assert list(content["quick"]["synthetic"]["MOSSE"]) == list(golden.QUICK["synthetic"])
    content["quick"]["synthetic"]["MOSSE"]["Motion"] -= 0.1
    golden.FILE.write_text(json.dumps(content))
    capsys.readouterr()
    assert golden.main([]) == 1
    assert "MOSSE: mean AUC changed by +0.0333" in capsys.readouterr().err
    assert golden.main(["--root", str(tmp_path)]) == 1
    assert "no sequence in" in capsys.readouterr().err
