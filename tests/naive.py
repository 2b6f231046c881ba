"""Plain twins of every kernel and of the numeric functions: slow, in double precision, from the definitions in PORTING.md.

A twin has its kernel's name (without a leading underscore). They lie in several files; tests import this one.
"""

import numpy as np

from tests.naive_admm import (
    background_aware_minimiser,
    background_aware_objective,
    between_samples,
    correlate,
    fit,
    learn,
    learn_background_aware,
    minimiser,
    objective,
    padded_scores,
    pixels,
    sampled_label,
    stretch,
    target_window,
)
from tests.naive_colours import box_means_around, colour_bin, colour_shares
from tests.naive_confidence import cosine, sidelobe, unit_cells
from tests.naive_features import (
    accumulate,
    area_resize_24,
    bilinear,
    box_means,
    cell_histograms,
    combine,
    convolve,
    fhog_stack,
    gather,
    grey_means,
    inner_products,
    name_probabilities,
    network,
    normalise_blocks,
    orientation,
    picture_phases,
    pool,
    rectify,
    rectify_normalise,
    resize_mean,
    resize_nested_24,
    sample_patch,
    scale_patches,
    split_channels,
    split_phases,
    steepest_gradient,
    subtract_mean,
    table_means,
    weighted_dot,
)
from tests.naive_filters import (
    Kept,
    SampleSpace,
    ScaleFilter,
    conjugate_gradient,
    convolve_add,
    data_term,
    learn_jointly,
    multiply_add,
    penalise,
    penalty_filter,
    precondition,
    product,
    rank_update,
    response,
    train,
)
from tests.naive_regions import area, clip, corners, fill_row, pixel_bounds, polygon_overlap, raster_overlap
from tests.naive_spectra import (
    add_parts,
    climb,
    cut,
    derivatives,
    encode,
    full,
    half,
    interpolation,
    padded,
    parts,
    shift,
    transform,
)

__all__ = [
    "Kept", "SampleSpace", "ScaleFilter", "accumulate", "add_parts", "area", "area_resize_24", "background_aware_minimiser",
    "background_aware_objective", "between_samples", "bilinear", "box_means", "box_means_around", "cell_histograms", "climb", "clip",
    "colour_bin", "colour_shares", "combine", "conjugate_gradient", "convolve", "convolve_add", "corners", "correlate", "cosine",
    "cut", "data_term", "derivatives", "difference", "encode", "fhog_stack", "fill_row", "fit", "full", "gather", "grey_means",
    "half", "inner_products", "interpolation", "learn", "learn_background_aware", "learn_jointly", "minimiser", "multiply_add",
    "name_probabilities", "network", "normalise_blocks", "objective", "orientation", "padded", "padded_scores", "parts", "penalise",
    "penalty_filter", "picture_phases", "pixel_bounds", "pixels", "polygon_overlap", "pool", "precondition", "product", "rank_update",
    "raster_overlap", "rectify", "rectify_normalise", "resize_mean", "resize_nested_24", "response", "sample_patch", "sampled_label",
    "scale_patches", "shift", "sidelobe", "split_channels", "split_phases", "steepest_gradient", "stretch", "subtract_mean",
    "table_means", "target_window", "train", "transform", "unit_cells", "weighted_dot",
]  # fmt: skip


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """max |difference| / max |expected|; NaN where either has a NaN, so that no comparison holds."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{actual.shape} is not {expected.shape}"
    return float(np.abs(actual - expected).max() / np.abs(expected).max())
