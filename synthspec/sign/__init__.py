"""Sign and verify manifests: Sigstore bundle, DSSE, in-toto Statement; the only door to `cryptography`."""

from __future__ import annotations

from synthspec.sign.clock import freshness, now
from synthspec.sign.files import read_bundle
from synthspec.sign.keys import SigningKey, config_dir, create_key, development_key, list_keys, load_key
from synthspec.sign.memory import order, state_dir
from synthspec.sign.refusal import Refusal, Refusals
from synthspec.sign.signing import key_ref, sign, sign_profile
from synthspec.sign.statement import Subject
from synthspec.sign.trust import trusted_keys
from synthspec.sign.verify import VerifiedStatement, consistency, read_tree, verify_bundle, verify_tree

__all__ = [
    "Refusal",
    "Refusals",
    "SigningKey",
    "Subject",
    "VerifiedStatement",
    "config_dir",
    "consistency",
    "create_key",
    "development_key",
    "freshness",
    "key_ref",
    "list_keys",
    "load_key",
    "now",
    "order",
    "read_bundle",
    "read_tree",
    "sign",
    "sign_profile",
    "state_dir",
    "trusted_keys",
    "verify_bundle",
    "verify_tree",
]
