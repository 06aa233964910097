"""Limits on figures."""

import pytest

from evaluation.report.model import Figure
from evaluation.thresholds import Threshold, failures

FIGURES = {"wer.hi": Figure("wer.hi", 0.15), "lid.all": Figure("lid.all", 0.97)}


@pytest.mark.parametrize(
    ("text", "is_upper", "failure"),
    [
        ("wer.hi=0.15", True, ""),
        ("wer.hi=0.12", True, "wer.hi is 0.15, above 0.12"),
        ("lid.all=0.95", False, ""),
        ("lid.all=0.99", False, "lid.all is 0.97, below 0.99"),
        ("wer.hl=0.2", True, "wer.hl was not measured. Like it: wer.hi."),
    ],
)
def test_a_limit(text: str, is_upper: bool, failure: str) -> None:
    found = failures([Threshold.parse(text, is_upper=is_upper)], FIGURES)
    assert found == ([failure] if failure else [])


@pytest.mark.parametrize("text", ["wer.hi", "wer.hi=low", ""])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not NAME=NUMBER, such as wer\.hi=0\.12"):
        Threshold.parse(text, is_upper=True)
