"""The public test kit: `conformance` of backends, `rule_cases` in YAML, `strategies` for hypothesis, a `catalogue` of ops.

Import the part you need, for instance ``from synthspec.testing import conformance``: each loads only what it uses.
"""
