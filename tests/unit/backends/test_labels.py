import numpy as np

from synthspec.ir.schema import Field
from synthspec_torch.data.labels import Labels

COLOUR = Field(name="colour", role="condition", dtype="categorical", enum=("red", "blue"))
SIZE = Field(name="size", role="condition", dtype="categorical", enum=(1, 2, 3))


def test_every_combination_has_its_own_label_and_the_null_label_is_none_of_them():
    labels = Labels((COLOUR, SIZE))
    colour, size = np.divmod(np.arange(6), 3)
    assert labels.encode({"colour": colour, "size": size}).tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.null == 6


def test_a_missing_condition_is_the_null_label():
    labels = Labels((COLOUR, SIZE))
    codes = {"colour": np.array([0, -1, 1]), "size": np.array([-1, 0, 2])}
    assert labels.encode(codes).tolist() == [6, 6, 5]
