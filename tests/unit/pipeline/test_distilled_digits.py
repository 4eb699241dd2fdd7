"""P405-10 on digits: 4 evaluations of a student against the 40 of its teacher, by FID with the bound that is judged.

At a small part of the budget of examples/digits-diffusion-fast, whose README has the figures of the whole: a narrower network,
80 steps of training and 300 of distillation. Its teacher is far from done, so this tries the road, not the quality.
"""

import json
from datetime import date
from pathlib import Path

import pytest

from synthspec.pipeline.front import Options, spot
from synthspec.pipeline.making import MakeOptions, make

FAST = Path(__file__).parents[3] / "examples" / "digits-diffusion-fast" / "spec.yaml"
SMALL = (
    ("engine.architecture", "{name: unet2d, channels: [16, 32], layers_per_block: 1, attention: [false, false]}"),
    ("training.epochs", "10"),
    ("evaluation.metrics", "[FID]"),
)
TAUGHT = (
    ("sampling", "{n: 384, seed: 7, rng: philox, solver: dpmsolver++, NFE: 40}"),
    ("acceleration", "[{kind: distill, method: teacher_student, NFE: 4, steps: 300}]"),
)
HURRIED = (("sampling", "{n: 384, seed: 7, rng: philox, solver: dpmsolver++, NFE: 4}"), ("acceleration", "[]"))


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """The figures of the small spec with further changes; the engine is trained once."""
    folder = tmp_path_factory.mktemp("distilled")

    def found(*changes):
        how = MakeOptions(store=folder / "store", folder=folder / "made", progress=Silent())
        made = make(spot(FAST), "figures", Options(today=date(2026, 11, 22), overrides=(*SMALL, *changes)), how)
        assert made.value is not None, made.diagnostics
        files = [made.value.folder / node / "figures.json" for node in made.value.nodes if "." not in node]
        return {each["name"]: each for file in files for each in json.loads(file.read_bytes())}

    return found


@pytest.mark.slow
def test_four_evaluations_of_a_student_stay_within_half_again_the_fid_of_forty(figures):
    taught = figures(*TAUGHT)
    assert (taught["NFE"]["value"], taught["teacher.NFE"]["value"]) == (4, 40)
    assert taught["FID"]["value"] > 0
    assert taught["teacher.FID"]["value"] > 0
    assert taught["FID_ratio"]["upper"] <= 1.5
    assert taught["student_violations"]["value"] == 0
    hurried = figures(*HURRIED)
    assert hurried["NFE"]["value"] == 4
    assert hurried["FID"]["value"] > 1.5 * taught["teacher.FID"]["value"], "without distillation four are too few"
