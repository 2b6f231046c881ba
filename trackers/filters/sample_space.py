"""ECO's memory: at most N weighted samples; when it is full, the most alike are merged (PORTING 4.8)."""

import numpy as np

from cfvgg.linear import inner_products
from trackers.filters.covariance import Covariance
from trackers.filters.spectra import Layout

FORGOTTEN = 2  # a sample whose weight has decayed for this many times the capacity may be dropped


class SampleSpace:
    """Weighted samples, their weighted mean and their covariance per frequency.

    Parameters
    ----------
    layout : Layout
    capacity : int
    learning_rate : float
        Weight of a new sample.
    compared : int
        Side of the grid of lowest frequencies by which samples are compared, to find the most alike; 0: all frequencies.

    Attributes
    ----------
    weights : ndarray, float64, (capacity,)
        Sum to one; zero where no sample is.
    vectors : ndarray, complex64, (capacity, size)
        Samples in the layout's flat form.
    gram : ndarray, float64, (capacity, capacity)
        Inner products of samples: 2 Re sum a conj(b) over what is compared of the half-spectra. (Column 0 counts twice as in ECO: a
        shortcut that changes no more than which samples are merged.)
    mean : ndarray, complex64, (size,)
    covariance : Covariance
    """

    def __init__(self, layout: Layout, capacity: int, learning_rate: float, compared: int = 0):
        self._learning_rate = learning_rate
        self._lowest_weight = learning_rate * (1 - learning_rate) ** (FORGOTTEN * capacity)
        self.count = 0
        self.weights = np.zeros(capacity)
        self.vectors = np.zeros((capacity, layout.size), np.complex64)
        self._compared = layout.lowest(compared) if compared else slice(None)
        self._keys = np.zeros((capacity, len(self._compared)), np.complex64) if compared else self.vectors
        self.gram = np.zeros((capacity, capacity))
        self.mean = np.zeros(layout.size, np.complex64)
        self.covariance = Covariance(layout)

    def add(self, vector: np.ndarray, gain: float | None = None) -> None:
        """Take in a new sample: into a free place, for a forgotten one, or by the cheapest merge.

        Parameters
        ----------
        vector : ndarray, complex64, (size,)
        gain : float or None
            Its weight, by which all others are lessened; None for the learning rate. The first sample has weight one.
        """
        gain = self._learning_rate if gain is None else gain
        decay = 1 - gain
        numbers = vector[self._compared].view(np.float32)[None]
        products = 2 * inner_products(self._keys[: self.count].view(np.float32), numbers)[:, 0].astype(np.float64)
        energy = 2 * float(inner_products(numbers, numbers)[0, 0])
        changes = []  # of the covariance, beside the new sample: (gain, vector)
        full = self.count == len(self.weights)
        weakest = int(np.argmin(self.weights))
        if full and self.weights[weakest] >= self._lowest_weight:
            self.weights *= decay
            place, loss, difference = self._merge(vector, products, energy, gain)
            changes.append((-loss, difference))
        elif full:
            place, lost = weakest, self.weights[weakest]
            decay /= 1 - lost
            self.weights *= decay
            changes.append((-decay * lost, self.vectors[place].copy()))
            self.mean -= np.float32(lost) * self.vectors[place]
        else:
            place = self.count
            if place == 0:
                gain, decay = 1.0, 0.0
            self.weights *= decay
        if place is not None:
            self.count = max(self.count, place + 1)
            self._store(place, vector)
            self.weights[place] = gain
            self.gram[place, : len(products)] = self.gram[: len(products), place] = products
            self.gram[place, place] = energy
        self.mean = np.float32(decay) * self.mean + np.float32(gain) * vector
        self.covariance.update(decay, [(gain, vector), *changes])

    def distances(self) -> np.ndarray:
        """Squared distances of all pairs of samples (count, count), infinite on the diagonal."""
        energy = np.diag(self.gram)[: self.count]
        squared = np.maximum(energy[:, None] + energy - 2 * self.gram[: self.count, : self.count], 0)
        np.fill_diagonal(squared, np.inf)
        return squared

    def _merge(self, vector: np.ndarray, products: np.ndarray, energy: float, gain: float) -> tuple[int | None, float, np.ndarray]:
        """Make room for a new sample: merge it into its nearest, or merge the nearest two of the others, whichever are closer.

        Returns
        -------
        place : int or None
            Where the new sample goes; None if it was merged. `products` is brought up to date.
        loss, difference : float, ndarray
            The covariance loses loss conj(difference) difference^T by the merge.
        """
        to_new = np.maximum(np.diag(self.gram) + energy - 2 * products, 0)
        among = self.distances()
        nearest = int(np.argmin(to_new))
        if to_new[nearest] < among.min():
            merged = self._combine(nearest, vector, products, energy, gain)
            return None, *merged
        smaller, larger = divmod(int(np.argmin(among)), self.count)
        kept, freed = (smaller, larger) if self.weights[smaller] > self.weights[larger] else (larger, smaller)
        share = self.weights[kept] / (self.weights[kept] + self.weights[freed])
        products[kept] = share * products[kept] + (1 - share) * products[freed]
        merged = self._combine(kept, self.vectors[freed], self.gram[freed], self.gram[freed, freed], self.weights[freed])
        return freed, *merged

    def _combine(self, place: int, other: np.ndarray, products: np.ndarray, energy: float, weight: float) -> tuple[float, np.ndarray]:
        """Replace a sample by its weighted mean with `other`, whose inner products with all samples are given; loss and difference."""
        total = self.weights[place] + weight
        share = self.weights[place] / total
        loss, difference = self.weights[place] * weight / total, self.vectors[place] - other
        own, cross = self.gram[place, place], products[place]
        self._store(place, np.float32(share) * self.vectors[place] + np.float32(1 - share) * other)
        row = share * self.gram[place] + (1 - share) * products
        self.gram[place], self.gram[:, place] = row, row
        self.gram[place, place] = share**2 * own + (1 - share) ** 2 * energy + 2 * share * (1 - share) * cross
        self.weights[place] = total
        return loss, difference

    def _store(self, place: int, vector: np.ndarray) -> None:
        self.vectors[place] = vector
        self._keys[place] = vector[self._compared]
