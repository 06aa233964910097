"""The scenarios and the plan of a run."""

import pytest

from evaluation.scenarios.catalogue import SCENARIOS, chosen
from evaluation.scenarios.runner import plan
from evaluation.scenarios.words import words_by_language

LANGUAGES = ["en", "es", "fr", "hi", "tl"]


def test_names_are_unique_and_choose_by_their_beginning() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert len(chosen([])) == len(names)
    assert [scenario.name for scenario in chosen(["echo"])] == ["echo -20 dB", "echo -10 dB"]
    with pytest.raises(ValueError, match="no scenario 'sneeze'; there are pauses"):
        chosen(["sneeze"])


def test_a_plan_goes_seed_by_seed_and_through_the_languages() -> None:
    jobs = plan(chosen(["backchannels", "echo -20"]), LANGUAGES, range(2))
    assert [(job.scenario.name, job.language, job.seed) for job in jobs] == [
        *[("backchannels", language, 0) for language in LANGUAGES],
        ("echo -20 dB", "es", 0),
        *[("backchannels", language, 1) for language in LANGUAGES],
        ("echo -20 dB", "fr", 1),
    ]


def test_all_languages_have_as_much_to_say() -> None:
    said = words_by_language()
    assert list(said) == LANGUAGES
    for words in said.values():
        assert len(words.halves) >= 3  # a call has as many pauses
        assert len(words.interruptions) >= 2
        assert all(expects == expects.lower() for _, expects in words.questions)
        assert all(expects == expects.lower() for *_, expects in words.corrections)
        assert words.long
        assert words.backchannels
        assert words.greeting
