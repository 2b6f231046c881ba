"""Trackers on disk: they go on as if nothing had happened, and no file does harm."""

import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import trackers
from benchmarks.synthetic import Scene, sequence
from cfvgg.weights import load as load_weights
from trackers import KCF, MOSSE, Tracker, fECO
from trackers.errors import SnapshotError

NAMES = [name for name in trackers.names() if name not in ("ECO", "DeepSTRCF")]
OPTIONS = {"fECO": {"preset": "vot"}, "KCF": {"scale_filter": {"angle": True}}, "fKCF": {"backbone": load_weights()}}


@pytest.fixture(scope="module")
def video():
    made = sequence(Scene(frames=14, size=(120, 160)))
    return list(made.frames), made.boxes


@pytest.fixture(scope="module")
def mosse(video, tmp_path_factory):
    """A file of the smallest tracker."""
    tracker, path = MOSSE(), tmp_path_factory.mktemp("snapshot") / "mosse.npz"
    tracker.init(video[0][0], video[1][0])
    tracker.save(path)
    return path


@pytest.mark.parametrize("way", ["file", "pickle"])
@pytest.mark.parametrize("name", NAMES)
def test_a_restored_tracker_goes_on_bit_for_bit(video, tmp_path, name, way):
    frames, boxes = video
    tracker = trackers.create(name, **OPTIONS.get(name, {}))
    tracker.init(frames[0], boxes[0])
    for frame in frames[1:5]:
        tracker.update(frame)
    if way == "file":
        tracker.save(tmp_path / "snapshot")
        restored = Tracker.load(tmp_path / "snapshot")
    else:
        restored = pickle.loads(pickle.dumps(tracker))
    assert type(restored) is type(tracker) and restored.score == tracker.score
    for frame in frames[5:]:  # beyond a training of ECO's
        assert restored.update(frame) == tracker.update(frame) and restored.score == tracker.score
    for both in (tracker, restored):
        both.init(frames[3], boxes[3])
    assert restored.update(frames[4]) == tracker.update(frames[4])


def test_it_goes_on_in_another_process(video, tmp_path):
    frames, boxes = video
    tracker = KCF()
    tracker.init(frames[0], boxes[0])
    tracker.save(tmp_path / "kcf")
    np.save(tmp_path / "frame.npy", frames[1])
    code = "import sys, numpy, trackers; print(trackers.Tracker.load(sys.argv[1]).update(numpy.load(sys.argv[2])))"
    out = subprocess.run([sys.executable, "-c", code, tmp_path / "kcf", tmp_path / "frame.npy"], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(tracker.update(frames[1]))


def test_a_tracker_that_has_not_begun_can_be_saved(tmp_path):
    fECO(learning_rate=0.02).save(tmp_path / "new")
    assert fECO.load(tmp_path / "new").config.learning_rate == 0.02


def test_an_adapted_network_is_kept(video, tmp_path):
    pytest.importorskip("torch")
    frames, boxes = video
    tracker = trackers.fKCF(adapt=True)
    tracker.init(frames[0], boxes[0])
    tracker.save(tmp_path / "adapted")
    restored = Tracker.load(tmp_path / "adapted")
    assert restored.adaptation.weights.filters[0].tobytes() == tracker.adaptation.weights.filters[0].tobytes()
    assert restored.update(frames[1]) == tracker.update(frames[1])


def test_functions_of_a_user_cannot_be_saved(tmp_path):
    with pytest.raises(SnapshotError, match="not of this package"):
        trackers.fKCF(adapt=lambda *_: None).save(tmp_path / "own")
    assert not list(tmp_path.iterdir())


def test_the_wrong_kind_of_tracker_is_refused(mosse):
    with pytest.raises(SnapshotError, match="holds a MOSSE, no KCF"):
        KCF.load(mosse)


def test_every_truncated_file_is_refused(mosse, tmp_path):
    whole, cut = mosse.read_bytes(), tmp_path / "cut"
    for size in range(0, len(whole), max(len(whole) // 40, 1)):
        cut.write_bytes(whole[:size])
        with pytest.raises(SnapshotError, match="cut"):
            Tracker.load(cut)


def test_every_damaged_array_is_noticed(mosse, tmp_path):
    whole, damaged = bytearray(mosse.read_bytes()), tmp_path / "damaged"
    for at in range(len(whole) // 4, len(whole) // 2, len(whole) // 20):  # within the arrays
        changed = whole.copy()
        changed[at] ^= 255
        damaged.write_bytes(changed)
        with pytest.raises(SnapshotError):
            Tracker.load(damaged)


@pytest.mark.parametrize("content", [b"", b"no snapshot", pickle.dumps(print), b"PK\x05\x06" + bytes(18)])
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "foreign").write_bytes(content)
    with pytest.raises(SnapshotError, match="foreign"):
        Tracker.load(tmp_path / "foreign")


def test_missing_and_unwritable_files(tmp_path):
    with pytest.raises(SnapshotError, match="cannot read"):
        Tracker.load(tmp_path / "missing")
    with pytest.raises(SnapshotError, match="cannot write"):
        MOSSE().save(tmp_path / "no" / "folder")


def with_state(path, change):
    """The bytes of a snapshot whose description was changed."""
    with np.load(path) as file:
        arrays = dict(file)
    state = json.loads(arrays["state"].tobytes())
    change(state)
    arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:exec", "trackers.video:VideoWriter", "trackers.kcf:os", "trackers.kcf:nothing", "subprocess:Popen", "x"]
)
def test_a_file_that_asks_for_other_things_is_refused(mosse, tmp_path, name):
    for entry in ({"name": name}, {"partial": name, "options": {"dict": []}}):
        (tmp_path / "evil").write_bytes(with_state(mosse, lambda state, entry=entry: state.update(tracker=entry)))
        with pytest.raises(SnapshotError, match="evil"):
            Tracker.load(tmp_path / "evil")
    for kind in ({"class": name, "fields": {}}, {"made": name, "from": ["true"]}, {"made": "trackers.eco:fECO", "from": [1]}):
        (tmp_path / "evil").write_bytes(with_state(mosse, lambda state, kind=kind: state["objects"].__setitem__(0, kind)))
        with pytest.raises(SnapshotError, match="evil"):
            Tracker.load(tmp_path / "evil")


def test_pickles_inside_are_not_read(mosse, tmp_path):
    path = tmp_path / "pickled.npz"
    path.write_bytes(mosse.read_bytes())
    array = io.BytesIO()
    np.save(array, np.array([print], object), allow_pickle=True)
    with zipfile.ZipFile(mosse) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, array.getvalue() if name == "array-0.npy" else source.read(name))
    with pytest.raises(SnapshotError, match="pickled"):
        Tracker.load(path)


def test_another_version_is_refused(mosse, tmp_path):
    (tmp_path / "old").write_bytes(with_state(mosse, lambda state: state.update(version="0.0.1")))
    with pytest.raises(SnapshotError, match="by version '0.0.1'"):
        Tracker.load(tmp_path / "old")
