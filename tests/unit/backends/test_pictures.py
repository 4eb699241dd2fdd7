"""What published networks see: Pillow's own filters, the whole picture, three channels, normalised."""

import numpy as np
import pytest
import torch
from PIL import Image

from synthspec_torch.features.opening import PUBLISHED
from synthspec_torch.features.pictures import IMAGENET, Preprocessing

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def pictures(n, channels, side):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(side)) * 2 - 1


@pytest.mark.parametrize("side", [300, 64, 20])
@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
def test_resizing_is_that_of_pillow_smaller_and_larger(resize, side):
    x = pictures(2, 3, side)
    made = Preprocessing(side=56, resize=resize)(x)
    for n in range(2):
        for channel in range(3):
            plane = Image.fromarray(x[n, channel].numpy())
            wanted = np.clip(np.asarray(plane.resize((56, 56), FILTERS[resize])), -1.0, 1.0)
            assert np.abs(made[n, channel].numpy() - wanted).max() < 1e-5


@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
def test_a_pattern_finer_than_the_new_pixels_is_averaged_away(resize):
    """Of a checkerboard a tenth of the size nothing is left but its mean; without antialiasing it aliases."""
    board = ((torch.arange(200)[:, None] + torch.arange(200)) % 2).float() * 2 - 1
    made = Preprocessing(side=20, resize=resize)(board[None, None])
    assert made.abs().max() < 0.02
    aliased = torch.nn.functional.interpolate(board[None, None], (20, 20), mode=resize, align_corners=False)
    assert aliased.abs().max() < 1e-6 or aliased.abs().max() > 0.02


def test_grey_is_rgb_and_each_channel_is_normalised():
    mean, std = IMAGENET
    seen = Preprocessing(side=8, resize="bicubic", mean=mean, std=std, normalised=True)
    for value in (-1.0, 0.0, 1.0):
        made = seen(torch.full((1, 1, 5, 5), value))
        wanted = torch.tensor([((value + 1) / 2 - m) / s for m, s in zip(mean, std, strict=True)])
        assert torch.allclose(made, wanted.view(1, 3, 1, 1).expand(1, 3, 8, 8), atol=1e-6)


def test_overshoot_of_the_cubic_filter_leaves_no_value_that_no_picture_has():
    step = torch.where(torch.arange(12) < 6, -1.0, 1.0).expand(1, 1, 12, 12)
    made = Preprocessing(side=48, resize="bicubic")(step)
    assert made.min() == -1.0
    assert made.max() == 1.0


def test_the_whole_picture_counts():
    x = torch.zeros(1, 3, 30, 90)
    x[..., :3] = 1.0
    assert torch.all(Preprocessing(side=30, resize="bilinear")(x)[..., 0] == 7 / 8)


def test_every_published_network_says_what_it_sees():
    words = {name: published.preprocessing.words for name, published in PUBLISHED.items()}
    assert words["inception"] == "299 x 299 bilinear, antialiased, whole picture; grey as RGB; [-1, 1]"
    assert words["dinov2-vitb14"] == (
        "224 x 224 bicubic, antialiased, whole picture; grey as RGB; mean [0.485, 0.456, 0.406], std [0.229, 0.224, 0.225]"
    )
