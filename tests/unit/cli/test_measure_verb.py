"""`synthspec measure`: any two files that an SRef describes, whoever made them."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec.metrics.stream import stream

SREF = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: people, version: 1.0.0}
modality: tabular
fields:
  - {name: id, role: key, dtype: int64}
  - {name: age, role: content, dtype: float64, unit: dimensionless, range: [0, 120]}
  - {name: pay, role: content, dtype: float64, unit: dimensionless, nullable: true}
  - {name: kind, role: content, dtype: categorical, enum: [a, b, c]}
  - {name: old, role: condition, dtype: categorical, enum: ["no", "yes"]}
keys: {pk: [id]}
alias_map: {Alter: age}
"""


def rows(name, n, shift=0.0):
    r = stream(51, name)
    age = np.clip(r.normal(40 + shift, 12, n), 0, 130)
    pay = [f"{v:.2f}" if keep else "" for v, keep in zip(r.exponential(3, n), r.random(n) > 0.1, strict=True)]
    kinds = r.choice(list("abc"), n)
    return [(f"{a:.3f}", p, k, "yes" if a > 45 else "no") for a, p, k in zip(age, pay, kinds, strict=True)]


def write(path, header, records):
    path.write_text("\n".join([",".join(header), *(",".join(record) for record in records)]) + "\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.sref.yaml").write_text(SREF)
    header = ("age", "pay", "kind", "old")
    write(tmp_path / "real.csv", header, rows("real", 250))
    write(tmp_path / "syn.csv", ("Alter", "pay", "kind", "old", "extra"), [(*r, "7") for r in rows("syn", 200)])
    write(tmp_path / "far.csv", header[:3], [r[:3] for r in rows("far", 200, 30.0)])
    write(tmp_path / "train.csv", header, rows("train", 300))
    return tmp_path


def run(*words):
    whole = ["measure", *words]
    return CliRunner().invoke(program(whole), whole)


def base(syn="syn.csv", real="real.csv"):
    return ("--sref", "people.sref.yaml", "--real", real, "--syn", syn)


def figures(*words):
    answer = run(*words, "--format", "json")
    assert answer.exit_code in (0, 1), answer.output
    return answer.exit_code, {entry["name"]: entry for entry in json.loads(answer.stdout)["metrics"]}


def test_files_without_keys_with_aliases_gaps_and_more_columns_are_measured(folder):
    code, found = figures(*base(), "--metrics", "W1,MMD,PSI,detection_AUC,TSTR")
    assert code == 0
    assert list(found) == ["W1", "MMD", "PSI", "detection_AUC", "TSTR"]
    for entry in found.values():
        assert {"value", "u", "n_real", "n_syn", "details", "lower", "upper", "split"} <= entry.keys()
        assert (entry["n_real"], entry["split"]) in ((250, "test"), (200, "test"))
        assert entry["details"]["estimator"]
    assert found["W1"]["null"] is not None
    far = figures(*base("far.csv"), "--metrics", "W1,PSI,detection_AUC")[1]
    assert far["W1"]["lower"] > found["W1"]["upper"]
    assert far["detection_AUC"]["value"] > 0.9


def test_the_same_records_in_an_npz_give_the_same_figures(folder):
    real = rows("real", 250)
    np.savez(
        folder / "real.npz",
        age=np.array([float(r[0]) for r in real]),
        pay=np.array([float(r[1] or "nan") for r in real]),
        kind=np.array([r[2] for r in real]),
        old=np.array([r[3] for r in real]),
    )
    one, other = (figures(*base(real=name), "--metrics", "W1,MMD")[1] for name in ("real.csv", "real.npz"))
    assert one == other


def test_real_training_records_make_more_measurable(folder):
    asked = ("--metrics", "memorisation,TRTR")
    code, found = figures(*base(), *asked)
    assert code == 1
    assert found["memorisation"]["reason"] == "there are no train records"
    code, found = figures(*base(), *asked, "--train", "train.csv")
    assert code == 0
    assert 0.3 < found["memorisation"]["value"] < 0.7


def test_another_seed_of_the_engine_gives_u_model(folder):
    write(folder / "second.csv", ("age", "pay", "kind", "old"), rows("second", 200, 3.0))
    alone = figures(*base(), "--metrics", "W1")[1]["W1"]
    both = figures(*base(), "--syn", "second.csv", "--metrics", "W1")[1]["W1"]
    assert both["value"] == alone["value"]
    assert both["details"]["u_sampling"] == pytest.approx(alone["u"])
    assert both["u"] == pytest.approx(np.hypot(alone["u"], both["details"]["u_model"]))
    assert both["upper"] > alone["upper"]
    assert both["lower"] < alone["lower"]


def test_text_tells_what_could_not_be_measured(folder):
    answer = run(*base(), "--metrics", "W1,ACF")
    assert answer.exit_code == 1
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("W1 ")
    assert "±" in lines[0]
    assert "no windows" in lines[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--sref", "none.yaml", "--real", "real.csv", "--syn", "syn.csv", "--metrics", "W1"), "none.yaml"),
        ((*base("none.csv"), "--metrics", "W1"), "none.csv"),
        ((*base(), "--metrics", "W2"), "W1"),
        ((*base(), "--metrics", "latency_ms_p99"), "synthspec run"),
        ((*base(), "--metrics", " , "), "takes names"),
        ((*base("people.sref.yaml"), "--metrics", "W1"), "not read"),
        ((*base("broken.npz"), "--metrics", "W1"), "damaged"),
        ((*base("ragged.csv"), "--metrics", "W1"), "line 3"),
        ((*base("unknown.csv"), "--metrics", "W1"), "enum"),
        ((*base("lacks.csv"), "--metrics", "W1"), "no column for the field"),
        (("--sref", "real.csv", "--real", "real.csv", "--syn", "syn.csv", "--metrics", "W1"), ""),
    ],
)
def test_what_cannot_be_read_is_exit_2(folder, words, why):
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 no archive")
    (folder / "ragged.csv").write_text("age,pay,kind\n1,2,a\n1,2\n")
    (folder / "unknown.csv").write_text("age,pay,kind\n1,2,a\n1,2,z\n")
    (folder / "lacks.csv").write_text("age,kind\n1,a\n")
    for form in ("text", "json"):
        answer = run(*words, "--format", form)
        assert answer.exit_code == 2, answer.output
        assert why in answer.output


def test_values_out_of_range_are_measured_and_not_refused(folder):
    (folder / "wild.csv").write_text("age,pay,kind\n" + "\n".join(f"{100 + 10 * i},1,a" for i in range(60)) + "\n")
    assert figures(*base("wild.csv"), "--metrics", "W1,PSI")[0] == 0


def test_pictures_and_windows_in_columns(folder):
    sref = SREF.split("fields:", maxsplit=1)[0].replace("tabular", "timeseries") + (
        "fields:\n  - {name: wave, role: content, dtype: float32, shape: [16], unit: dimensionless}\n"
    )
    (folder / "people.sref.yaml").write_text(sref)
    r = stream(51, "waves")
    for name in ("real.csv", "syn.csv"):
        header = tuple(f"wave.{i}" for i in range(16))
        write(folder / name, header, [[f"{v:.4f}" for v in r.standard_normal(16)] for _ in range(60)])
    code, found = figures(*base(), "--metrics", "ACF,PSD,W1")
    assert code == 0
    assert found["PSD"]["unit"] == "dB"
