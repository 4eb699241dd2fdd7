import numpy as np

from synthspec.ir.schema import Field, Schema
from synthspec_torch.data.labels import Labels
from synthspec_torch.support import label_reasons

SCHEMA = Schema(
    modality="image",
    fields=(
        Field(name="colour", role="condition", dtype="categorical", enum=("red", "blue")),
        Field(name="size", role="condition", dtype="categorical", enum=(1, 2, 3)),
        Field(name="age", role="condition", dtype="float32"),
    ),
)


def test_every_combination_has_its_own_label_and_the_null_label_is_none_of_them():
    labels = Labels.of(SCHEMA, ("colour", "size"))
    colour, size = np.divmod(np.arange(6), 3)
    assert labels.encode({"colour": colour, "size": size}).tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.null == 6


def test_a_missing_condition_is_the_null_label():
    labels = Labels.of(SCHEMA, ("colour", "size"))
    codes = {"colour": np.array([0, -1, 1]), "size": np.array([-1, 0, 2])}
    assert labels.encode(codes).tolist() == [6, 6, 5]


def test_no_conditions_have_no_labels():
    assert Labels.of(SCHEMA, ()) is None
    assert list(label_reasons(SCHEMA, ())) == []


def test_what_cannot_be_a_label_is_said():
    assert list(label_reasons(SCHEMA, ("colour", "size"))) == []
    assert "float32" in next(label_reasons(SCHEMA, ("age",)))
    wide = Schema(
        modality="image", fields=(Field(name="id", role="condition", dtype="categorical", enum=tuple(range(5000))),)
    )
    assert "5000 combinations" in next(label_reasons(wide, ("id",)))
