import json

import pytest
import torch

from synthspec_torch.weights import WeightsError, load_weights, parse_weights, save_weights

STATE = {"b": torch.arange(6.0).view(2, 3), "a": torch.ones(2), "n": torch.tensor(3)}


def test_weights_come_back_and_their_bytes_do_not_depend_on_the_order(tmp_path):
    save_weights(tmp_path / "x" / "one.safetensors", STATE)
    save_weights(tmp_path / "two.safetensors", dict(reversed(STATE.items())))
    one = (tmp_path / "x" / "one.safetensors").read_bytes()
    assert one == (tmp_path / "two.safetensors").read_bytes()
    assert b"__metadata__" not in one
    loaded = load_weights(tmp_path / "two.safetensors", STATE)
    assert all(torch.equal(loaded[name], value) for name, value in STATE.items())


def test_views_are_written_as_they_look(tmp_path):
    save_weights(tmp_path / "v.safetensors", {"t": STATE["b"].T})
    assert torch.equal(load_weights(tmp_path / "v.safetensors", {"t": STATE["b"].T})["t"], STATE["b"].T)


@pytest.mark.parametrize(
    ("like", "says"),
    [
        ({"a": torch.ones(2)}, "unknown weights"),
        (STATE | {"c": torch.ones(1)}, r"missing weights \['c'\]"),
        (STATE | {"a": torch.ones(3)}, r"a is torch.float32 \(2,\), the network has torch.float32 \(3,\)"),
        (STATE | {"a": torch.ones(2, dtype=torch.float64)}, "torch.float64"),
    ],
)
def test_anything_but_the_same_weights_is_refused(tmp_path, like, says):
    save_weights(tmp_path / "w.safetensors", STATE)
    with pytest.raises(WeightsError, match=says):
        load_weights(tmp_path / "w.safetensors", like)


def test_unread_names_are_passed_over(tmp_path):
    save_weights(tmp_path / "w.safetensors", STATE)
    data = (tmp_path / "w.safetensors").read_bytes()
    assert set(parse_weights(data, {"a": STATE["a"], "b": STATE["b"]}, unread="n")) == {"a", "b"}


def test_a_name_that_is_there_twice_is_refused():
    entry = json.dumps({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})
    header = f'{{"a":{entry},"a":{entry}}}'.encode()
    with pytest.raises(WeightsError, match="names 'a' twice"):
        parse_weights(len(header).to_bytes(8, "little") + header + bytes(4), {"a": torch.ones(1)})


@pytest.mark.parametrize(
    "data", [b"", b"abc", b"\xff" * 16, (2).to_bytes(8, "little") + b"[x", (4).to_bytes(8, "little") + b"true"]
)
def test_another_file_is_refused(data):
    with pytest.raises(WeightsError, match="not a safetensors file"):
        parse_weights(data, {"a": torch.ones(1)})
