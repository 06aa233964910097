"""What a sound over an answer is: the judgement by itself."""

import pytest

from server.config import InterruptionConfig
from server.conversation.interruption import Attempt, Evidence, Stage, Verdict, judge
from server.language.resources import backchannels
from tests.fakes import transcript

CONFIG = InterruptionConfig()
SAYING = "The clinic is open on Monday from eight to five."


def verdict(stage: Stage, text: str, language: str = "en", confidence: float = 0.9) -> Verdict:
    heard = transcript(text, language, confidence)
    return judge(stage, Evidence(heard, SAYING, backchannels(language)), CONFIG)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Mm-hmm."),
        ("en", "Yeah, okay."),
        ("es", "Ajá, claro."),
        ("fr", "D'accord."),
        ("hi", "अच्छा, ठीक है।"),
        ("tl", "Oo nga."),
    ],
)
def test_backchannels_of_every_language(language: str, text: str) -> None:
    assert verdict(Stage.EARLY, text, language) is Verdict.BACKCHANNEL


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Yes, but I mean Tuesday."),
        ("es", "No, el martes."),
        ("fr", "Oui mais pas lundi."),
        ("hi", "नहीं, मंगलवार को।"),
        ("tl", "Hindi po, sa Martes."),
    ],
)
@pytest.mark.parametrize("stage", list(Stage))
def test_words_are_words_at_every_stage(stage: Stage, language: str, text: str) -> None:
    assert verdict(stage, text, language) is Verdict.WORDS


def test_nothing_is_noise_and_unclear_words_wait_for_the_long_stage() -> None:
    assert verdict(Stage.EARLY, "") is Verdict.NOISE
    assert verdict(Stage.EARLY, "stop please", confidence=0.3) is Verdict.UNDECIDED
    assert verdict(Stage.LONG, "stop please", confidence=0.3) is Verdict.NOISE


def test_words_are_taken_the_sooner_the_clearer_they_are() -> None:
    def soon(confidence: float, sound_seconds: float) -> Verdict:
        heard = transcript("no wait", "en", confidence)
        return judge(Stage.SOON, Evidence(heard, SAYING, (), sound_seconds), CONFIG)

    assert soon(0.84, 0.6) is Verdict.UNDECIDED
    assert soon(0.7, 0.72) is Verdict.WORDS
    assert soon(0.6, 0.72) is Verdict.UNDECIDED
    assert soon(0.6, 0.78) is Verdict.WORDS


def test_our_own_words_are_an_echo() -> None:
    assert verdict(Stage.EARLY, "open on Monday from eight") is Verdict.ECHO
    assert verdict(Stage.EARLY, "on Monday I can not come") is Verdict.WORDS


@pytest.mark.parametrize(
    ("saying", "text"),
    [
        ("The capital of France is Paris.", "And the capital of Spain?"),
        ("The capital of France is Paris.", "And the capital of"),
        ("La capitale de la France est Paris.", "Et la capitale de l'Espagne ?"),
        ("From Monday to Friday from eight to five.", "Is it on Friday to eight?"),
    ],
)
def test_words_that_were_said_are_no_echo_in_another_order_or_sense(saying: str, text: str) -> None:
    evidence = Evidence(transcript(text), saying, ())
    assert judge(Stage.EARLY, evidence, CONFIG) is Verdict.WORDS


def test_the_first_looks_decide_only_what_is_clear() -> None:
    assert verdict(Stage.SOON, "") is Verdict.UNDECIDED
    assert verdict(Stage.SOON, "okay") is Verdict.UNDECIDED
    assert verdict(Stage.SOON, "no wait", confidence=0.45) is Verdict.UNDECIDED
    assert verdict(Stage.SOON, "wait", confidence=0.95) is Verdict.UNDECIDED
    assert verdict(Stage.SOON, "no wait", confidence=0.95) is Verdict.WORDS


def test_the_strict_check_has_a_higher_bar() -> None:
    assert verdict(Stage.EARLY, "something else", confidence=0.6) is Verdict.WORDS
    assert verdict(Stage.STRICT, "something else", confidence=0.6) is Verdict.NOISE


def test_the_early_check_asks_more_of_a_sound_that_has_just_stopped() -> None:
    """A Tagalog "oo nga" was over after 0.55 s, and heard as "oo Ana"."""

    def early(confidence: float, sound_seconds: float) -> Verdict:
        heard = transcript("oo Ana", "tl", confidence)
        return judge(Stage.EARLY, Evidence(heard, SAYING, (), sound_seconds), CONFIG)

    assert early(0.8, 0.55) is Verdict.UNDECIDED
    assert early(0.8, 0.78) is Verdict.WORDS
    assert early(0.55, 0.8) is Verdict.WORDS


def test_words_of_a_sound_that_stops_at_once_have_to_be_clear() -> None:
    def brief(confidence: float, sound_seconds: float = 0.4) -> Verdict:
        heard = transcript("thank you", "en", confidence)
        evidence = Evidence(heard, SAYING, backchannels("en"), sound_seconds)
        return judge(Stage.END, evidence, CONFIG)

    assert brief(0.75) is Verdict.NOISE
    assert brief(0.85) is Verdict.WORDS
    assert brief(0.75, sound_seconds=1.2) is Verdict.WORDS
    heard = transcript("no", "en", 0.75)
    assert judge(Stage.PAUSE, Evidence(heard, SAYING, (), 0.4), CONFIG) is Verdict.UNDECIDED


@pytest.mark.parametrize("stage", [Stage.LONG, Stage.STRICT, Stage.END])
def test_a_long_speech_of_several_words_is_heard_however_unclear(stage: Stage) -> None:
    def judged(text: str, *, is_speech: bool) -> Verdict:
        heard = transcript(text, "fr", 0.33)
        return judge(stage, Evidence(heard, SAYING, backchannels("fr"), 1.6, is_speech), CONFIG)

    assert judged("Non, d'été ma capitale", is_speech=True) is Verdict.WORDS
    assert judged("Non, d'été ma capitale", is_speech=False) is Verdict.NOISE
    assert judged("Merci ma", is_speech=True) is Verdict.NOISE
    assert judged("oui, d'accord, oui", is_speech=True) is Verdict.BACKCHANNEL
    assert judged("", is_speech=True) is Verdict.NOISE


def test_a_long_sound_is_judged_between_the_early_and_the_strict_check() -> None:
    attempt = Attempt(10.0)
    stages = []
    for tenth in range(1, 30):
        now_seconds = 10.0 + tenth / 10
        stage = attempt.due(now_seconds, CONFIG, paused=False, over=False)
        if stage is not None:
            stages.append((tenth, stage))
            attempt.note(stage, now_seconds, Verdict.NOISE, None)
    assert [stage for _, stage in stages] == [Stage.SOON, Stage.LONG, Stage.STRICT]
    assert stages[1][0] == 10


def test_what_is_undecided_is_looked_at_again_and_a_pause_once() -> None:
    attempt = Attempt(10.0)
    stages = []
    for tenth in range(1, 12):
        now_seconds, paused = 10.0 + tenth / 10, 4 <= tenth <= 6
        stage = attempt.due(now_seconds, CONFIG, paused=paused, over=tenth == 11)
        if stage is not None:
            stages.append((tenth, stage))
            attempt.note(stage, now_seconds, Verdict.UNDECIDED, None)
    early = [stage for tenth, stage in stages if tenth < 8]
    assert early == [Stage.SOON, Stage.PAUSE, Stage.SOON]
    assert stages[3:] == [(8, Stage.EARLY), (10, Stage.LONG), (11, Stage.END)]
