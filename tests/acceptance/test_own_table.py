"""A table of one's own from `init --from` to a manifest that verifies: a person states units and thresholds, and no more."""

from __future__ import annotations

import csv
import io
import random
from importlib.util import find_spec

import pytest

if find_spec("torch") is None or find_spec("zuko") is None:
    pytest.skip("needs torch and zuko", allow_module_level=True)

STATED = {
    "C40-511: {}": "C40-511: {tol_W1: 5.0}",
    "C40-512: {}": "C40-512: {tol_bpd: 60.0, tol_inv: 1.0e-2}",
    "C40-515: {}": "C40-515: {covg_min: 0.01, tol_mode_drop: 1.0}",
    "C40-516: {}": "C40-516: {mi_max: 0.95}",
    "{name: age, role: content, dtype: int32,": "{name: age, role: content, dtype: int32, unit: year,",
    "{name: load, role: content, dtype: float64,": "{name: load, role: content, dtype: float64, unit: kW,",
    "{name: visits, role: content, dtype: float64,": "{name: visits, role: content, dtype: float64, unit: dimensionless,",
}


def lay_out(folder, rows=600):
    draw = random.Random(5)
    lines = ["Patient ID,age,load [kW],visits,ward,smoker,admitted,discharged,notes"]
    for row in range(rows):
        visits = "" if row % 8 == 0 else str(draw.randrange(30))
        ward = "" if row % 9 == 0 else draw.choice(["north", "south", '"east, old"'])
        day = f"2026-0{draw.randrange(1, 9)}-1{draw.randrange(9)}"
        notes = " ".join(draw.choices(["fever", "cough", "rest", "pain"], k=9))
        cells = [f"P{row:04}", str(draw.randrange(18, 91)), f"{draw.gauss(5, 1):.3f}", visits, ward]
        cells += [draw.choice(["true", "false"]), f"{day}T08:00:00Z", day, notes]
        lines.append(",".join(cells))
    (folder / "patients.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.slow
def test_from_a_table_to_a_manifest(cli, tmp_path):
    lay_out(tmp_path)
    drafted = cli("init", ".", "--from", "patients.csv", cwd=tmp_path)
    assert drafted.code == 0, drafted.err
    assert "left out 'discharged'" in drafted.out
    assert "left out 'notes'" in drafted.out
    asked = cli("validate", "spec.yaml", "--format", "json", cwd=tmp_path).json["findings"]
    assert [each["code"] for each in asked] == ["sref.unit-missing"] * 3 + ["C40.threshold-missing"] * 6
    for name in ("spec.yaml", "data.sref.yaml"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        for empty, stated in STATED.items():
            text = text.replace(empty, stated)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert cli("validate", "spec.yaml", cwd=tmp_path).code == 0
    ran = cli("run", "spec.yaml", "--set", "training.epochs=4", "--store", "store", "--out", "run", cwd=tmp_path)
    assert ran.code == 0, ran.out + ran.err
    assert cli("verify", "run/manifest.sigstore.json", cwd=tmp_path).code == 0
    made = list(csv.DictReader(io.StringIO((tmp_path / "run" / "samples.csv").read_text(encoding="utf-8"))))
    assert len(made) == 420
    assert {row["ward"] for row in made} <= {"", "north", "south", "east, old"}
    assert {float(row["visits"]) % 1 for row in made if row["visits"]} == {0.0}
    assert all(10 <= int(row["age"]) <= 100 for row in made)
    assert all(row["admitted"].endswith("Z") for row in made)
