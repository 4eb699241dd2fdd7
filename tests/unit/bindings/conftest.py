"""Bindings keep keys and the ledger in folders of their own here."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def homes(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
        patch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
