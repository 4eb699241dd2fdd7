"""Which blocks C40-519 draws again."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from synthspec.lower.sampling import replayed_blocks


@given(
    seed=st.integers(0, 2**63),
    candidates=st.integers(1, 5000),
    block=st.integers(1, 300),
    share=st.none() | st.floats(0, 1, exclude_min=True),
)
def test_the_declared_share_of_the_blocks_that_there_are(seed, candidates, block, share):
    chosen = replayed_blocks(SimpleNamespace(seed=seed, candidates=candidates, block=block), share)
    blocks = -(-candidates // block)
    assert list(chosen) == sorted(set(chosen))
    assert all(0 <= each < blocks for each in chosen)
    assert len(chosen) >= max(1, (share or 0) * blocks)
    assert len(chosen) <= max(1, (share or 0) * blocks + 1)
