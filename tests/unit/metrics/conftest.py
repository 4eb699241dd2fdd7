"""Digits as the normative examples use them: 1,797 pictures of 8 x 8, cut 70/15/15."""

import numpy as np
import pytest

from synthspec.metrics import Field, Request, Sample
from synthspec.metrics.stream import stream


class Digits:
    """Arrays in the SRef's range [0, 16] and the fakes that every metric should rank."""

    def __init__(self):
        from sklearn.datasets import load_digits

        found = load_digits()
        self.x, self.y = found.images[:, None], found.target
        order = stream(11, "digits").permutation(len(self.x))
        self.train, self.val, self.test = np.split(order, [1257, 1527])
        self.some = stream(0, "digits/some").permutation(self.train)[:512]

    def real(self, index):
        return Sample(content=self.x[index], labels=self.y[index])

    def request(self, synthetic, **more):
        return Request(
            **{
                "modality": "image",
                "fields": (Field(name="pixels", low=0.0, high=16.0),),
                "seed": 7,
                "train": self.real(self.train),
                "val": self.real(self.val),
                "test": self.real(self.test),
                "synthetic": synthetic,
                "classes": tuple(range(10)),
            }
            | more
        )

    def noisy(self, sigma):
        noise = stream(0, "digits/noise").standard_normal(self.x[self.some].shape)
        return self.like(np.clip(self.x[self.some] + 16 * sigma * noise, 0, 16))

    def gaussian(self):
        flat = self.x[self.train].reshape(-1, 64)
        draws = stream(0, "digits/gauss").multivariate_normal(flat.mean(0), np.cov(flat.T), 512, method="eigh")
        return self.like(draws.reshape(-1, 1, 8, 8))

    def classes(self, kept):
        index = self.train[np.isin(self.y[self.train], kept)][:512]
        return self.real(index)

    def like(self, content):
        return Sample(content=content, labels=self.y[self.some])


@pytest.fixture(scope="session")
def digits():
    return Digits()
