"""Help that depends on the spec says what this spec needs."""

from datetime import date
from pathlib import Path

from synthspec.pipeline.front import Options, spot, validate

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits-diffusion"


def helps(folder, code, spec=("", ""), sref=("", "")):
    """What is advised at `code` where one text of the example is another."""
    for name, (old, new) in (("spec.yaml", spec), ("digits.sref.yaml", sref)):
        text = (EXAMPLE / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1) if old else text)
    found = validate(spot(folder / "spec.yaml"), Options(today=date(2026, 6, 1))).diagnostics
    return [one.help for one in found if one.code == code]


def test_sides_that_are_even_and_too_seldom_so_are_told_what_must_divide_them(tmp_path):
    three = ("channels: [32, 64]", "channels: [8, 16, 32]"), ("shape: [1, 8, 8]", "shape: [1, 14, 14]")
    (advice,) = helps(tmp_path, "engine.arch-modality", *three)
    assert "4 divides" in advice


def test_a_split_by_a_column_of_the_data_alone_is_told_of_the_schema(tmp_path):
    whole = "{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}"
    for other in ("{method: column, column: part}", whole.replace("rid", "start")):
        (advice,) = helps(tmp_path, "P405-9.split-missing", (whole, other))
        assert "declared in the SRef" in advice


def test_whole_series_are_not_told_to_split_by_a_time_that_they_lack(tmp_path):
    (advice,) = helps(tmp_path, "P405-9.random-split-on-time", sref=("modality: image", "modality: timeseries"))
    assert "(method: column)" in advice
    assert "<" not in advice
