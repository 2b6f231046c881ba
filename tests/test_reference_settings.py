"""The other published settings, VOT and TC-128 and a grey sequence, against the authors' programs; ECO and DeepSTRCF from a VGG-M file."""

import numpy as np
import pytest
from scipy.io import savemat

from benchmarks.synthetic import Scene, sequence
from cfvgg import weights
from cfvgg.architecture import LAYERS, LRN_ALPHA, LRN_BETA, LRN_KAPPA, LRN_WINDOW, filter_shapes
from cfvgg.forward import Backbone
from tests import naive, reference
from tests.naive import difference
from tests.reference import compact, first, half
from trackers import ECO, DeepSTRCF, fECO
from trackers import scale as scale_module
from trackers.config import FECO
from trackers.features.sizes import odd_sizes
from trackers.features.stack import applicable
from trackers.filters.regularisation import penalty_filter

RUNS = [("tc128", "Crossing"), ("vot", "Crossing"), ("vot", "Freeman1"), ("otb", "Freeman1")]
# Of whole frames from the picture, with their power in the network and their INTER_AREA: what is left is the 12 bits of their reciprocals
# in FHOG, 1e-4 of its values (`test_reference.test_fhog`), and the rounding of their cell means of colours, 7e-4 of the largest.
# Measured: projections 9e-5, score spectra 4e-5.
PIPELINE = 2e-4
# Of the three scales: without a scale filter there are only seven; a filter gives single precision, or 1e-4 where one of a sample's
# orientations lies on the border of two bins (`test_reference_tracks.test_what_parts_the_tracks`), as in the second frame of Freeman1.
SCALES = [2e-6, 1e-12, 1e-12, 2e-4]


@pytest.fixture(scope="module")
def dump(shared):
    return reference.arrays(shared, "feco_other_settings")


@pytest.fixture(scope="module")
def tables(shared):
    return reference.arrays(shared, "colour_tables")


@pytest.fixture(scope="module")
def backbone(shared):
    return Backbone(weights.load(shared("weights/reference_CF_VGGM.mat")))


@pytest.fixture
def theirs(monkeypatch):
    """Their power in the network and OpenCV 2.4's INTER_AREA in the scale filter."""
    monkeypatch.setattr(scale_module, "resize_nested", naive.resize_nested_24)
    monkeypatch.setattr("cfvgg.forward.rectify_normalise", reference.approximate_rectify_normalise)


@pytest.mark.parametrize(("setting", "sequence"), RUNS)
def test_sizes_and_regularisation(dump, setting, sequence):
    run = f"{setting}_{sequence.lower()}_f1"
    config, base = FECO[setting], dump[f"{run}_base_target_sz"][0]
    features = applicable(config.features, bool(dump[f"{run}_is_color_image"][0, 0]))
    sizes = odd_sizes(features, float(np.sqrt(base.prod())) * config.search_area)
    assert (sizes.network, sizes.support) == (dump[f"{run}_img_sample_sz"][0, 0], dump[f"{run}_img_support_sz"][0, 0])
    assert list(sizes.grids) == dump[f"{run}_feature_sz"][:, 0].tolist()
    assert [feature.dimension for feature in features] == dump[f"{run}_sample_dim"].ravel().tolist()
    # in double precision on both sides, and rounded once
    assert difference(penalty_filter(sizes.support, tuple(base), config), dump[f"{run}_reg_filter"]) < 1e-6


@pytest.mark.parametrize(("setting", "sequence", "scale"), [(*run, scale) for run, scale in zip(RUNS, SCALES, strict=True)])
def test_three_frames(shared, dump, tables, backbone, theirs, setting, sequence, scale):
    """Each frame as a whole: the dumps hold the last block's features and projection only, too little for their steps alone."""
    run = f"{setting}_{sequence.lower()}_f"
    tracker = fECO(backbone, published=True, preset=setting, tables=tables)
    frames = reference.pictures(shared, sequence)
    picture = next(frames)
    tracker.init(picture, reference.first_box(shared, sequence))
    target = tracker._target
    assert target._coloured == bool(dump[f"{run}1_is_color_image"][0, 0])
    np.testing.assert_allclose(target.position, dump[f"{run}1_pos"][0] - 1, rtol=0, atol=1e-12)
    assert target.scale == pytest.approx(float(dump[f"{run}1_scale"][0, 0]), rel=1e-12)
    ours, projection = target._filter.projections[-1], dump[f"{run}1_proj_last"]
    signs = np.sign((ours * projection).sum(0))  # of principal directions: the linear algebra's
    assert difference(ours * signs, projection) < PIPELINE
    if f"{run}1_feat_last" in dump:
        block = target._features(picture[:, :, ::-1][:, :, : 3 if target._coloured else 1], target._rounded(), target.scale)[-1]
        # cell means from single-precision integral images: 4e-4 to 7e-4 of the largest value (PORTING 3.2)
        assert difference(block, first(dump[f"{run}1_feat_last"])) < 1e-3

    picture = next(frames)
    spectra = dump[f"{run}2_scores_fs"].reshape(target._filter.side, target._filter.side, -1)
    place, cut = target._rounded(), picture[:, :, ::-1][:, :, : 3 if target._coloured else 1]
    for factor, spectrum in zip(target._factors, np.moveaxis(spectra, -1, 0), strict=True):
        sample = target._filter.encode(target._features(cut, place, target.scale * factor))
        assert difference(target._filter.respond(sample), half(compact(spectrum))) < PIPELINE

    tracker.update(picture)
    # pixels, of which single precision near 200 knows 1.5e-5; then as far as the scale carries
    np.testing.assert_allclose(target.position, dump[f"{run}2_pos"][0] - 1, rtol=0, atol=5e-5)
    assert target.scale == pytest.approx(float(dump[f"{run}2_scale"][0, 0]), abs=scale)
    tracker.update(next(frames))
    np.testing.assert_allclose(target.position, dump[f"{run}3_pos"][0] - 1, rtol=0, atol=1e-3)
    assert target.scale == pytest.approx(float(dump[f"{run}3_scale"][0, 0]), abs=scale)


# VGG-M


def vgg_m(path, rng):
    """Write a VGG-M of random weights (He et al. 2015) as MatConvNet does."""
    layers, widths = [], tuple(layer.channels for layer in LAYERS)
    for layer, shape in zip(LAYERS, filter_shapes(widths), strict=True):
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        filters = (deviation * rng.standard_normal(shape)).astype(np.float32).transpose(2, 3, 1, 0)
        convolution = {"name": layer.name, "type": "conv", "stride": float(layer.stride), "pad": float(layer.padding)}
        layers.append({**convolution, "weights": np.array([filters, np.zeros(shape[0], np.float32)], object)})
        layers.append({"name": "relu" + layer.name[-1], "type": "relu"})
        if layer.normalised:
            layers.append({"name": "norm" + layer.name[-1], "type": "lrn", "param": [LRN_WINDOW, LRN_KAPPA, LRN_ALPHA, LRN_BETA]})
    mean = rng.uniform(100, 130, (224, 224, 3)).astype(np.float32)
    savemat(path, {"layers": np.array(layers, object), "meta": {"normalization": {"averageImage": mean}}})


@pytest.mark.parametrize("kind", [ECO, DeepSTRCF])
def test_deep_trackers_from_a_vgg_m_file(kind, tmp_path):
    path = tmp_path / "imagenet-vgg-m-2048.mat"
    vgg_m(path, np.random.default_rng(1))
    video = sequence(Scene(frames=4, size=(120, 160), target_size=0.35, motion=3, camera=0.3, distractors=0, occlusion=0, noise=1))
    tracker = kind(path, published=True)
    assert tracker._backbone.widths["conv5"] == 512
    track = tracker.track(video.frames, video.boxes[0])
    assert len(tracker._target._factors) == 5
    assert tracker._target._features._sizes.network is not None
    middles = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (track.boxes, video.boxes))
    assert np.abs(np.subtract(*middles)).max() < 2  # it moves by 11; a random network tells textures apart too
    assert (track.scores > 0.2).all()
