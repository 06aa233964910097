"""Any bytes, and right ones spoilt, for everything that reads what others send."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import PARSERS
from tests.fuzz.seeds import SEEDS

ROUGH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def spoilt(draw: st.DrawFn, seed: bytes) -> bytes:
    """A right input of which a part is replaced, and the rest perhaps lost."""
    at = draw(st.integers(0, len(seed)))
    damage = draw(st.binary(max_size=8))
    lost = draw(st.integers(0, 8))
    return (seed[:at] + damage + seed[at + lost :])[: draw(st.integers(0, len(seed) + 8))]


def test_every_parser_has_seeds() -> None:
    assert set(SEEDS) == set(PARSERS)


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_spoilt_is_read_or_refused(name: str) -> None:
    @ROUGH
    @given(st.binary(max_size=100) | st.sampled_from(SEEDS[name]).flatmap(spoilt))
    def read(data: bytes) -> None:
        PARSERS[name](data)

    read()


@pytest.mark.parametrize("name", PARSERS)
def test_a_seed_is_read(name: str) -> None:
    for seed in SEEDS[name]:
        assert PARSERS[name](seed) == []
