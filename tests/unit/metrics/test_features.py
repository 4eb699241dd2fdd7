"""The embedded extractors are frozen: by row, by name, and down to the digits."""

import numpy as np
import pytest

from synthspec.metrics.features import extractor
from synthspec.metrics.features.randcnn import RandCNN
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Field
from synthspec.metrics.stream import stream

COLUMNS = (Field(name="power", low=0.0, high=20.0), Field(name="kind", levels=3))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 48), (1, 1, 1), (2, 5, 7)])
def test_any_picture_has_the_same_number_of_features(shape):
    pictures = stream(1, "pictures").uniform(-1, 1, (3, *shape))
    found = RandCNN(shape[0])(pictures)
    assert found.shape == (3, 3, 24)
    assert np.isfinite(found).all()
    assert 0.1 < np.sqrt((found**2).mean()) < 3.0


def test_a_row_depends_on_itself_alone():
    pictures = stream(1, "rows").uniform(-1, 1, (300, 1, 8, 8))
    extract = RandCNN(1)
    np.testing.assert_allclose(extract(pictures)[[5, 299]], extract(pictures[[5, 299]]), atol=1e-12)


def test_the_features_are_frozen():
    ramp = np.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    assert RandCNN(1).name == "randcnn-v1@86edc759"
    np.testing.assert_allclose(RandCNN(1)(ramp)[0, :, 0], [1.518236732755, -0.969220380328, 0.677480955797], atol=1e-9)


def test_the_name_tells_the_channels_apart():
    assert RandCNN(1).name != RandCNN(3).name


def test_layout_matters():
    pictures = stream(1, "layout").uniform(-1, 1, (1, 1, 8, 8))
    flipped = RandCNN(1)(pictures[:, :, ::-1].copy())
    assert np.abs(flipped - RandCNN(1)(pictures)).max() > 0.05


def test_tables_are_ranges_and_categories():
    found = extractor("tabular", COLUMNS, (2,))(np.array([[0.0, 2.0], [15.0, 0.0]]))
    half = 1 / np.sqrt(2)
    np.testing.assert_allclose(found[:, 0], [[-1, 0, 0, half], [0.5, half, 0, 0]])


def test_a_table_extractor_is_named_by_its_schema():
    other = (Field(name="power", low=0.0, high=30.0), COLUMNS[1])
    assert extractor("tabular", COLUMNS, (2,)).name != extractor("tabular", other, (2,)).name


@pytest.mark.parametrize(
    ("modality", "fields", "shape"),
    [
        ("tabular", (Field(name="power"),), (1,)),
        ("tabular", (Field(name="power", low=1.0, high=1.0),), (1,)),
        ("audio", (Field(name="wave", low=-1.0, high=1.0),), (16000, 2)),
        ("image", (Field(name="pixels", low=0.0, high=1.0),), (64,)),
    ],
)
def test_what_has_no_embedded_features_says_so(modality, fields, shape):
    with pytest.raises(UnmeasurableError):
        extractor(modality, fields, shape)
