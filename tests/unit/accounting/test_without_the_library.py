"""What stays possible in a core installation, and what says how to get the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

from synthspec.accounting import AccountantMissingError, Gaussian, PoissonGaussian, available, eps_total, quick_bound

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def missing(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "dp_accounting"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dp_accounting", None)


def test_a_missing_library_is_named(missing):
    assert not available()
    for accountant in ("pld", "rdp"):
        with pytest.raises(AccountantMissingError, match=r"pip install 'synthspec\[privacy\]'"):
            eps_total(PoissonGaussian(0.1, 1.0, 10), 1e-5, accountant)


def test_closed_forms_and_the_bound_need_no_library(missing):
    assert eps_total(Gaussian(1.0), 1e-5, "analytic").eps == pytest.approx(4.377178, abs=1e-6)
    assert quick_bound(PoissonGaussian(0.01, 1.0, 1000), 1e-5).eps == pytest.approx(2.108, abs=0.001)


def test_neither_the_bound_nor_validate_loads_a_numerical_library():
    program = (
        "import sys\n"
        "from synthspec.accounting import PoissonGaussian, quick_bound\n"
        "quick_bound(PoissonGaussian(0.01, 1.0, 1000), 1e-5)\n"
        "sys.argv = ['synthspec', 'validate', 'examples/cancer-dp-vae/spec.yaml']\n"
        "from synthspec.cli.main import run\n"
        "try:\n"
        "    run()\n"
        "except SystemExit as leaving:\n"
        "    assert not leaving.code\n"
        "heavy = {'numpy', 'scipy', 'dp_accounting', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
