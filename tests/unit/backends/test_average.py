import pytest
import torch
from torch import nn

from synthspec_torch.training.average import Average


def constant(value: float) -> nn.Module:
    network = nn.BatchNorm1d(2)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)
    return network.double()


def test_constant_weights_are_a_fixed_point():
    network = constant(3.0)
    average = Average(network, 0.99)
    for _ in range(5):
        average.update()
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(
        average.network.state_dict().values(), network.state_dict().values(), strict=True
    ))  # fmt: skip


def test_a_ramp_is_trailed_by_beta_over_one_minus_beta():
    """Weights that grow by one each step: the average lags by d / (1 - d) steps once the warm-up is over."""
    network, decay = constant(0.0), 0.9
    average = Average(network, decay)
    for step in range(1, 400):
        with torch.no_grad():
            network.weight.fill_(step)
        average.update()
    assert 399 - average.network.weight[0].item() == pytest.approx(decay / (1 - decay), abs=1e-6)


def test_the_first_updates_follow_closely():
    network = constant(0.0)
    average = Average(network, 0.999)
    with torch.no_grad():
        network.weight.fill_(1.0)
    average.update()
    assert average.network.weight[0].item() == pytest.approx(1 - 2 / 11)


def test_buffers_are_averaged_and_counters_copied():
    network = constant(0.0)
    average = Average(network, 0.5)
    with torch.no_grad():
        network.running_mean.fill_(1.0)
        network.num_batches_tracked.fill_(7)
    average.update()
    assert average.network.running_mean[0].item() == pytest.approx(1 - 2 / 11)
    assert average.network.num_batches_tracked.item() == 7


def test_the_copy_is_apart_and_without_a_decay_there_is_none():
    network = constant(1.0)
    average = Average(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(5.0)
    assert average.network.weight[0].item() == 1.0
    assert not any(weight.requires_grad for weight in average.network.parameters())
    assert Average(network, None).network is network
