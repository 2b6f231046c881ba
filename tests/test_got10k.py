"""Our trackers in the got10k toolkit itself."""

import cv2
import numpy as np
import pytest

otb = pytest.importorskip("got10k.experiments.otb", reason="needs the got10k toolkit: pip install got10k six")

import trackers
from benchmarks import peers
from benchmarks.got10k import Adapter
from benchmarks.metrics import auc, overlap
from trackers.errors import WeightsError


@pytest.fixture
def experiment(tmp_path, video, monkeypatch):
    """The toolkit's own, over one sequence that bears the name of one of OTB's."""
    frames, boxes = video
    folder = tmp_path / "otb" / "Crossing"
    (folder / "img").mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        # PNG, whatever the name says: decoders of JPEG need not agree
        (folder / "img" / f"{number:04}.jpg").write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    np.savetxt(folder / "groundtruth_rect.txt", np.add(boxes, (1, 1, 0, 0)), "%.17g", ",")  # OTB counts pixels from 1
    monkeypatch.setattr(otb.OTB, "_download", lambda *_: None)
    monkeypatch.setattr(otb.OTB, "_check_integrity", lambda *_: None)
    return otb.ExperimentOTB(str(folder.parent), result_dir=str(tmp_path / "results"), report_dir=str(tmp_path / "reports"))


@pytest.mark.parametrize("name", trackers.names())
def test_trackers_give_the_boxes_that_they_give_by_themselves(name, experiment, video, tmp_path):
    frames, boxes = video
    try:
        expected = peers.make(name).track(frames, boxes[0]).boxes
    except WeightsError as error:
        pytest.skip(str(error))
    experiment.run(Adapter(name, origin=1))
    written = np.loadtxt(tmp_path / "results" / "OTB2015" / name / "Crossing.txt", delimiter=",")
    np.testing.assert_allclose(written - (1, 1, 0, 0), expected, atol=5.1e-4)  # three decimals


def test_the_toolkit_reports_our_accuracy(experiment, video):
    frames, boxes = video
    expected = auc(overlap(peers.make("KCF").track(frames, boxes[0]).boxes, boxes))
    experiment.run(Adapter("mine=KCF", origin=1))
    found = experiment.report(["mine"])["mine"]["overall"]
    assert found["success_score"] == pytest.approx(expected, abs=1e-9)
    assert found["precision_score"] == 1
