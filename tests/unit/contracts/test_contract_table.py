"""The table of contracts: complete, in order, and owing what language.md section 5 says."""

import importlib
import itertools
import pkgutil

import pytest

from synthspec import contracts
from synthspec.contracts import CONTRACTS, Setting, contract
from synthspec.spec.sampling import Keep

DIFFUSION = Setting(family="diffusion", modality="image")
FLOW_TIME = Setting(family="flow", modality="timeseries", time=True, arrival=True)
DP_VAE = Setting(family="vae", modality="tabular", mechanism=True)


def test_the_table_is_the_standard_in_order():
    assert [c.id for c in CONTRACTS] == [f"C40-{n}" for n in range(511, 520)]


def test_every_contract_file_stands_in_the_table():
    files = [m.name for m in pkgutil.iter_modules(contracts.__path__) if m.name.startswith("c40_")]
    found = [importlib.import_module(f"synthspec.contracts.{name}").CONTRACT for name in files]
    assert tuple(sorted(found, key=lambda c: c.id)) == CONTRACTS
    assert all(c.id.replace("-", "_").lower() in name for c, name in zip(found, files, strict=True))


def test_the_thresholds_are_those_of_the_standard():
    symbols = [symbol for c in CONTRACTS for symbol in c.symbols]
    assert symbols == [
        *("tol_FID", "tol_KID", "recall_min", "tol_W1", "tol_MMD", "tol_SW2", "tol_PSI", "tol_detection_AUC"),
        *("tol_ACF", "tol_PSD", "tol_FVD", "precision_min", "density_min", "TSTR_min", "tol_memorisation"),
        *("tol_bpd", "tol_inv", "tol_collapse", "psnr_min"),
        *("NFE_max", "SLO_latency", "cfg_max", "covg_min", "tol_mode_drop"),
        *("eps_budget", "delta_budget", "mi_max", "J_max", "tol_Tarr"),
    ]


def test_what_an_acceleration_may_have_to_keep_is_a_term_of_one_contract():
    kept = [(term.metric, term.symbol) for c in CONTRACTS for term in c.kept]
    assert sorted(kept) == sorted((name, f"keep.{name}") for name in Keep.model_fields)
    assert not {symbol for _, symbol in kept}.intersection(symbol for c in CONTRACTS for symbol in c.symbols)


@pytest.mark.parametrize("name", [c.id for c in CONTRACTS])
def test_every_term_has_a_threshold_or_a_constant_but_not_both(name):
    for term in contract(name).terms:
        assert (term.constant is None) == bool(term.symbol), term


def test_the_bad_bound_is_the_one_judged():
    for term in itertools.chain.from_iterable(c.terms for c in CONTRACTS):
        assert term.at != {"<=": "lower", ">=": "upper"}[term.relation], term


@pytest.mark.parametrize(
    ("setting", "owed"),
    [
        (DIFFUSION, {"C40-511", "C40-514", "C40-515", "C40-516", "C40-518", "C40-519"}),
        (FLOW_TIME, {"C40-511", "C40-512", "C40-515", "C40-516", "C40-517", "C40-518", "C40-519"}),
        (DP_VAE, {"C40-511", "C40-513", "C40-515", "C40-516", "C40-518", "C40-519"}),
        (Setting(family="gan", modality="image"), {"C40-511", "C40-515", "C40-516", "C40-518", "C40-519"}),
    ],
)
def test_who_owes_what(setting, owed):
    assert {c.id for c in CONTRACTS if not c.not_owed(setting)} == owed


def test_images_owe_fid_kid_and_recall():
    assert contract("C40-511").owes(DIFFUSION) == (("tol_FID",), ("tol_KID",), ("recall_min",))


def test_tables_owe_one_divergence_of_their_choice():
    groups = contract("C40-511").owes(DP_VAE)
    assert len(groups) == 1
    assert {"tol_W1", "tol_MMD"} < set(groups[0])
    assert contract("C40-511").missing(DP_VAE, {"tol_MMD": 0.1}) == ()
    assert contract("C40-511").missing(DP_VAE, {}) == groups


def test_a_mechanism_owes_both_budgets():
    assert contract("C40-516").owes(DIFFUSION) == (("mi_max",),)
    assert set(contract("C40-516").owes(DP_VAE)) == {("eps_budget",), ("delta_budget",), ("mi_max",)}


def test_arrival_is_owed_only_where_it_is_computed():
    late = Setting(family="flow", modality="timeseries", time=True)
    assert contract("C40-517").owes(late) == (("J_max",),)
    assert contract("C40-517").owes(FLOW_TIME) == (("J_max",), ("tol_Tarr",))


def test_psnr_is_owed_by_pictures_only():
    assert contract("C40-513").owes(DP_VAE) == (("tol_collapse",),)


def test_a_promise_binds_the_stated_numbers_and_the_constants():
    promise = contract("C40-513").promise(DP_VAE, {"tol_collapse": 0.9}, severity="warn", action_plan="anneal")
    assert [(b.metric, b.relation, b.limit, b.at) for b in promise.bounds] == [
        ("elbo_val_gain", ">=", 0.0, "lower"),
        ("posterior_collapse_rate", "<=", 0.9, "upper"),
    ]
    assert (promise.severity, promise.action_plan, promise.not_owed) == ("warn", "anneal", "")


def test_a_contract_that_is_not_owed_says_why_and_binds_nothing():
    promise = contract("C40-512").promise(DIFFUSION, {})
    assert promise.bounds == ()
    assert "flow" in promise.not_owed


def test_a_spec_may_promise_more_than_it_owes():
    promise = contract("C40-514").promise(Setting(family="gan", modality="image"), {"SLO_latency": 50.0})
    assert [(b.metric, b.limit, b.unit) for b in promise.bounds] == [("latency_ms_p99", 50.0, "ms")]
    assert promise.not_owed == ""


def test_a_threshold_of_zero_is_a_threshold():
    promise = contract("C40-515").promise(DIFFUSION, {"covg_min": 0.5, "tol_mode_drop": 0.0})
    assert promise.bounds[1].limit == 0.0


def test_an_unknown_threshold_is_refused():
    with pytest.raises(ValueError, match="tol_FIDD"):
        contract("C40-511").promise(DIFFUSION, {"tol_FIDD": 1.0})


def test_what_each_term_judges():
    """A change of these words changes what every signed verdict means."""
    said = {
        f"{t.metric} {t.relation} {t.symbol or t.constant} @{t.at} {t.unit} {t.split}"
        for c in CONTRACTS
        for t in c.terms
    }
    assert said == {
        "FID <= tol_FID @upper 1 test",
        "KID <= tol_KID @value+u 1 test",
        "recall >= recall_min @lower 1 test",
        "W1 <= tol_W1 @upper 1 test",
        "MMD <= tol_MMD @upper 1 test",
        "sliced_W2 <= tol_SW2 @upper 1 test",
        "PSI <= tol_PSI @upper 1 test",
        "detection_AUC <= tol_detection_AUC @upper 1 test",
        "ACF <= tol_ACF @upper 1 test",
        "PSD <= tol_PSD @upper dB test",
        "FVD <= tol_FVD @upper 1 test",
        "precision >= precision_min @lower 1 test",
        "density >= density_min @lower 1 test",
        "TSTR >= TSTR_min @lower 1 test",
        "memorisation <= tol_memorisation @upper 1 test",
        "bpd <= tol_bpd @upper 1 test",
        "inv_error <= tol_inv @upper 1 None",
        "elbo_val_gain >= 0.0 @lower nat val",
        "posterior_collapse_rate <= tol_collapse @upper 1 test",
        "recon_PSNR >= psnr_min @lower dB test",
        "NFE <= NFE_max @value 1 None",
        "latency_ms_p99 <= SLO_latency @upper ms None",
        "w_cfg <= cfg_max @value 1 None",
        "covg >= covg_min @lower 1 test",
        "mode_drop <= tol_mode_drop @value 1 test",
        "eps_total <= eps_budget @value 1 None",
        "delta_total <= delta_budget @value 1 None",
        "MI <= mi_max @upper 1 None",
        "dp_violations <= 0.0 @value 1 None",
        "student_violations <= 0.0 @value 1 None",
        "tau_mono_decreases <= 0.0 @value 1 None",
        "J <= J_max @upper s None",
        "delta_form <= tol_Tarr @upper s None",
        "check_dim_failures <= 0.0 @value 1 None",
        "unpersisted <= 0.0 @value 1 None",
        "replay_mismatches <= 0.0 @value 1 None",
    }


@pytest.mark.parametrize(
    ("modality", "measured", "offered"),
    [
        ("tabular", {"W1", "MI"}, ["tol_W1"]),
        ("tabular", {"W1", "FID"}, ["tol_FID", "tol_W1"]),
        ("tabular", {"MI"}, ["tol_W1", "tol_MMD", "tol_SW2", "tol_PSI", "tol_detection_AUC"]),
        (
            "timeseries",
            set(),
            ["tol_W1", "tol_MMD", "tol_SW2", "tol_PSI", "tol_detection_AUC", "tol_ACF", "tol_PSD"],
        ),
    ],
)
def test_what_is_offered_for_a_missing_distance_is_measured_or_fits_the_records(modality, measured, offered):
    fidelity, where = contract("C40-511"), Setting(family="flow", modality=modality)
    (group,) = fidelity.missing(where, {})
    assert [term.symbol for term in fidelity.offered(group, where, measured)] == offered


def test_pictures_are_offered_what_they_owe():
    fidelity, where = contract("C40-511"), Setting(family="gan", modality="image")
    found = [fidelity.offered(group, where, ()) for group in fidelity.missing(where, {})]
    assert [[term.inequality for term in group] for group in found] == [
        ["FID ≤ tol_FID"],
        ["KID ± se ≤ tol_KID"],
        ["recall ≥ recall_min"],
    ]
