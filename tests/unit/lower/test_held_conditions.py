"""A condition is held at a value of its field, whatever unit it is written in: the plan has the number of the field."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.ops import Sample
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

EXAMPLE = Path(__file__).parents[3] / "examples" / "fiber-link-flow"


@pytest.mark.parametrize(("written", "held"), [("20 degC", 20.0), ("293.15 K", 20.0), ("68 degF", 20.0), ("20", 20)])
def test_the_plan_holds_a_condition_in_the_unit_of_its_field(tmp_path, written, held):
    shutil.copytree(EXAMPLE, tmp_path / "spec")
    path = tmp_path / "spec" / "spec.yaml"
    text = path.read_text(encoding="utf-8")
    asked = text.replace("sampling: {n: 2000,", f"sampling: {{condition: {{temp: {written}}}, n: 2000,")
    assert asked != text
    path.write_text(asked, encoding="utf-8")
    plan = load_spec(spot(path), Options(today=date(2026, 1, 1))).then(compile_spec)
    assert plan.value is not None, plan.diagnostics
    samples = [node.op for node in plan.value.nodes if isinstance(node.op, Sample)]
    assert samples
    assert {name for op in samples for name, _ in op.condition} == {"temp"}
    assert [op.condition[0][1] for op in samples] == pytest.approx([held] * len(samples), abs=1e-9)
