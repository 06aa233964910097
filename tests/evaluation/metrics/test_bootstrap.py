"""Intervals: they hold what they should, and differences are found where there are some."""

import numpy as np
import pytest

from evaluation.metrics.bootstrap import paired_difference, ratio, share


def test_the_interval_of_a_share_is_wilsons() -> None:
    interval = share([True] * 20 + [False] * 80)
    assert (interval.value, interval.num) == (0.2, 100)
    assert interval.low == pytest.approx(0.1334, abs=1e-4)
    assert interval.high == pytest.approx(0.2888, abs=1e-4)
    few = share([True] * 8 + [False] * 2)
    assert (few.low, few.high) == pytest.approx((0.490, 0.943), abs=1e-3)  # the textbook's
    binary = ratio([1.0] * 20 + [0.0] * 80, [1.0] * 100)
    assert (binary.low, binary.high) == pytest.approx((interval.low, interval.high), abs=0.02)


def test_none_of_forty_is_not_never() -> None:
    assert share([False] * 40).low == 0.0
    assert share([False] * 40).high == pytest.approx(0.0876, abs=1e-4)
    assert share([True] * 40).high == 1.0


def test_it_holds_the_truth_in_about_95_of_100_corpora() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(60):
        words = rng.integers(3, 12, 80).astype(float)
        interval = ratio(list(rng.binomial(words.astype(int), 0.1)), list(words))
        held += interval.low <= 0.1 <= interval.high
    assert 52 <= held <= 60


def test_words_weigh_and_not_utterances() -> None:
    assert ratio([1, 0], [1, 9]).value == pytest.approx(0.1)


def test_the_same_data_give_the_same_interval() -> None:
    assert ratio([1, 0, 2], [4, 5, 6]) == ratio([1, 0, 2], [4, 5, 6])


def test_a_clear_difference_is_significant_and_none_is_not() -> None:
    rng = np.random.default_rng(1)
    words = [10.0] * 100
    first = list(rng.binomial(10, 0.10, 100).astype(float))
    worse = [errors + 1 for errors in first]
    difference = paired_difference(first, worse, words)
    assert difference.value == pytest.approx(0.1)
    assert difference.is_significant
    other = list(rng.permutation(first))
    assert not paired_difference(first, other, words).is_significant
    assert paired_difference(first, first, words).p_value == 1.0


def test_less_than_six_pairs_that_differ_are_too_few() -> None:
    """Chance alone gives five of one sign in 6% of all tries, whatever was drawn."""
    for num in range(1, 6):
        difference = paired_difference([0.0] * num, [1.0] * num, [10.0] * num)
        assert not difference.is_significant
        assert difference.is_too_few
    assert paired_difference([0.0] * 6, [1.0] * 6, [10.0] * 6).is_significant
    assert not paired_difference([1.0] * 3, [1.0] * 3, [10.0] * 3).is_too_few
