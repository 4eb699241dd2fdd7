"""Blocks, guidance and counting, with a network of two lines in the place of the UNet."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.backend.artifacts import DATA, SAMPLE_REPORT, ReplayReport, SampleReport, read_report
from synthspec.backend.blocks import sampling_kernels
from synthspec.backend.dataset import read_dataset
from synthspec.ir.families import LSimple
from synthspec.ir.solvers import SolverPlan
from synthspec_diffusers import kernels
from synthspec_torch.weights import save_weights


class Toy(nn.Module):
    """Depends on x across the image, on t and on the label; one number for each label."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([-0.6, 0.0, 0.6, 0.1]))
        self.mix = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x, times, labels):
        shift = 0.0 if labels is None else self.shift[labels].view(-1, 1, 1, 1)
        return torch.tanh(self.mix(x) + shift + times.view(-1, 1, 1, 1) / 100)


@pytest.fixture
def engine(tmp_path, monkeypatch, inputs):
    torch.manual_seed(0)
    monkeypatch.setattr("synthspec_diffusers.engine.build_network", lambda op, content, given: Toy())
    folder = tmp_path / "engine"
    save_weights(folder / kernels.WEIGHTS, {**Toy().state_dict(), kernels.SIGMA_DATA: torch.tensor([0.5]).double()})
    from synthspec.backend.protocol import Artifact

    return inputs | {"engine": Artifact(folder, (kernels.WEIGHTS,))}


KERNELS = sampling_kernels(kernels.load)


@pytest.fixture
def sampled(run, engine):
    def call(op, name, workers=1):
        return read_dataset(run(KERNELS["sample"], op, engine, name, workers).path(DATA))

    return call


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one.columns)


def test_samples_have_the_dtype_the_range_and_the_resolution_of_the_sref(sampled, sample_op):
    data = sampled(sample_op, "out")
    assert sorted(data.columns) == ["digit", "pixels"]
    assert data["pixels"].dtype == np.float32
    assert data["pixels"].shape == (10, 1, 4, 4)
    assert data["pixels"].min() >= 0
    assert data["pixels"].max() <= 16
    assert np.array_equal(data["pixels"], np.round(data["pixels"]))
    assert data["digit"].dtype == np.int64
    assert set(data["digit"].tolist()) <= {0, 1, 2}


def test_workers_do_not_change_a_byte(sampled, sample_op):
    many = replace(sample_op, candidates=37)
    assert same(sampled(many, "one", 1), sampled(many, "three", 3))


def test_fewer_records_are_a_prefix_of_more(sampled, sample_op):
    more, fewer = sampled(replace(sample_op, candidates=23), "more"), sampled(sample_op, "fewer")
    assert same(more.take(np.arange(10)), fewer)


def test_every_block_has_its_own_noise_and_every_seed_its_own_blocks(sampled, sample_op):
    data = sampled(sample_op, "a")
    assert len(np.unique(data["pixels"].reshape(10, -1), axis=0)) == 10
    assert not np.array_equal(data["pixels"], sampled(replace(sample_op, seed=8), "b")["pixels"])


@pytest.mark.parametrize("solver", ["ddpm", "ddim", "dpmsolver++", "unipc"])
def test_a_block_does_not_see_the_history_of_another(run, engine, sample_op, solver):
    """Replay draws one block alone; a solver shared between blocks would give other bytes."""
    op = replace(sample_op, solver=SolverPlan(name=solver, steps=4, NFE=8))
    samples = run(KERNELS["sample"], op, engine, "samples")
    from synthspec.ir.ops import Replay

    again = run(KERNELS["replay"], Replay(sample=op, blocks=(2, 1)), engine | {"samples": samples}, "replay")
    assert read_report(again.path("replay.json"), ReplayReport) == ReplayReport(blocks=(2, 1), records=6, mismatches=0)


@pytest.mark.parametrize(("w", "evaluations", "cfg"), [(0.0, 4, 0), (0.5, 8, 4)])
def test_evaluations_are_counted_at_the_network(run, engine, sample_op, w, evaluations, cfg):
    made = run(KERNELS["sample"], replace(sample_op, w_cfg=w), engine, f"out{w}", 2)
    report = read_report(made.path(SAMPLE_REPORT), SampleReport)
    assert (report.net_calls, report.net_evals_per_sample, report.cfg_evals) == (4, evaluations, cfg)


def test_no_guidance_is_the_plain_conditional_model(sampled, sample_op, monkeypatch):
    plain = sampled(replace(sample_op, w_cfg=0.0), "plain")
    # Another null branch must not matter, to the bit.
    monkeypatch.setattr(Toy, "__init__", _with_another_null(Toy.__init__))
    assert same(plain, sampled(replace(sample_op, w_cfg=0.0), "again"))


def _with_another_null(init):
    def spoil(module, keys):
        module.shift.data[3].fill_(9.0)

    def changed(self):
        init(self)
        self.register_load_state_dict_post_hook(spoil)

    return changed


def test_a_held_condition_is_held_and_matters(sampled, sample_op):
    low, high = (sampled(replace(sample_op, condition=(("digit", c),)), c) for c in ("a", "c"))
    assert set(low["digit"].tolist()) == {0}
    assert set(high["digit"].tolist()) == {2}
    assert not np.array_equal(low["pixels"], high["pixels"])


def test_without_conditions_there_are_no_labels(sampled, sample_op, fit_op):
    free = replace(sample_op, fit=replace(fit_op, conditions=(), drop_rate=0.0), variables=(), w_cfg=0.0)
    assert list(sampled(free, "free").columns) == ["pixels"]


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_every_head_samples_inside_the_range(sampled, sample_op, fit_op, head):
    fit = replace(fit_op, objective=LSimple(measure="l_simple", head=head))
    pixels = sampled(replace(sample_op, fit=fit), head)["pixels"]
    assert np.isfinite(pixels).all()
    assert pixels.std() > 0


def test_sampling_leaves_the_global_generator_alone(sampled, sample_op):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    sampled(replace(sample_op, solver=SolverPlan(name="ddpm", steps=4, NFE=8)), "out")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_noise_of_every_step_is_its_own(engine, sample_op, monkeypatch):
    drawn = []

    def integrate(network, path, start, noise, labels):
        network(start, torch.zeros(len(start)), labels)
        drawn.extend([start, noise(0), noise(1)])
        return start

    monkeypatch.setattr("synthspec_diffusers.sampling.integrate", integrate)
    kernels.load(sample_op, engine).draw(0, 4)
    assert len({tensor.numpy().tobytes() for tensor in drawn}) == 3


def test_estimates_of_images_are_clipped_to_their_interval(engine, sample_op):
    assert kernels.load(sample_op, engine).path.bound == 1.0


def test_each_worker_computes_with_the_declared_threads(engine, sample_op, monkeypatch):
    """The bytes depend on the threads inside an operation, and a new thread would take the machine's number."""
    told = []

    def forward(self, x, times, labels):
        told.append(torch.get_num_threads())
        return x

    monkeypatch.setattr(Toy, "forward", forward)
    fit = replace(sample_op.fit, training=sample_op.fit.training.model_copy(update={"threads": 3}))
    before = torch.get_num_threads()
    sampler = kernels.load(replace(sample_op, fit=fit), engine)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda block: sampler.draw(block, 4), range(4)))
    torch.set_num_threads(before)
    assert set(told) == {3}


def test_a_split_without_rows_is_a_fault_of_the_data(run, engine, sample_op, tmp_path):
    from synthspec.backend.dataset import Rows, write_rows
    from synthspec.backend.protocol import Artifact, DataError

    none = np.zeros(0, dtype=np.int64)
    (tmp_path / "empty").mkdir()
    write_rows(tmp_path / "empty", Rows(train=none, val=none, test=none))
    with pytest.raises(DataError, match="train split has no rows"):
        run(
            KERNELS["sample"],
            sample_op,
            engine | {"split": Artifact(tmp_path / "empty", ("split.safetensors",))},
            "out",
        )
