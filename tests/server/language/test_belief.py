"""The belief about the language, along scripted conversations."""

import random
from collections.abc import Mapping
from functools import cache

import pytest

from server.language.belief import BeliefConfig, Evidence, LanguageBelief, Reason

LANGUAGES = ("en", "es", "fr", "hi", "tl")
SENTENCES = {
    "en": ["What is the capital of France?", "I would like an appointment on Monday, please."],
    "es": ["¿Cuál es la capital de Francia?", "Quisiera una cita para el lunes, por favor."],
    "fr": ["Quelle est la capitale de la France ?", "Je voudrais un rendez-vous lundi matin."],
    "hi": ["फ्रांस की राजधानी क्या है?", "मुझे सोमवार को अपॉइंटमेंट चाहिए।"],
    "tl": ["Ano po ang kabisera ng Pransya?", "Gusto ko po ng appointment sa Lunes."],
}
SHORT_WORDS = ("no", "sí", "okay", "oui", "oo", "haan", "haan ji", "d'accord", "sige po")


def probabilities(language: str, share: float) -> dict[str, float]:
    """This share for one language, the rest alike."""
    rest = (1 - share) / (len(LANGUAGES) - 1)
    return {code: share if code == language else rest for code in LANGUAGES}


def utterance(
    text: str,
    language: str,
    *,
    share: float = 0.9,
    seconds: float = 2.0,
    clarity: float = 0.9,
) -> Evidence:
    """What the recognizer makes of it: `language` is its guess."""
    return Evidence(text, probabilities(language, share), seconds, clarity)


@cache
def speaking(language: str) -> LanguageBelief:
    """After three clear turns in this language."""
    belief = LanguageBelief.begin(LANGUAGES, "en")
    for text in SENTENCES[language] + SENTENCES[language][:1]:
        belief = belief.update(utterance(text, language)).belief
    assert belief.language == language
    return belief


def noisy(language: str, rng: random.Random, seconds: float) -> Evidence:
    """An utterance whose probabilities vary as a recognizer's do; now and then they are wrong."""
    text = rng.choice(SENTENCES[language])
    share, clarity = rng.uniform(0.7, 0.99), rng.uniform(0.6, 0.98)
    if rng.random() < 0.03:  # decoded in that other language, it reads like it
        language, share, clarity = (
            rng.choice(LANGUAGES),
            rng.uniform(0.4, 0.7),
            rng.uniform(0.3, 0.6),
        )
        text = rng.choice(SENTENCES[language])
    elif rng.random() < 0.03:
        language, share = rng.choice(LANGUAGES), rng.uniform(0.4, 0.9)
    return utterance(text, language, share=share, seconds=seconds, clarity=clarity)


@pytest.mark.parametrize("default", LANGUAGES)
def test_before_anything_is_said_the_default_is_likeliest_and_weak(default: str) -> None:
    belief = LanguageBelief.begin(LANGUAGES, default)
    assert belief.language == default
    assert belief.probabilities[default] < 0.5
    assert sum(belief.probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_sentence_tells_the_language(language: str) -> None:
    decision = LanguageBelief.begin(LANGUAGES, "en").update(
        utterance(SENTENCES[language][0], language, share=0.7, seconds=1.2)
    )
    assert (decision.language, decision.reason) == (language, Reason.HEARD)


def test_a_greeting_tells_it_too_and_can_be_wrong_without_cost() -> None:
    belief = (
        LanguageBelief.begin(LANGUAGES, "en").update(utterance("Hola.", "es", seconds=0.5)).belief
    )
    assert belief.language == "es"
    assert not belief.settled
    assert belief.update(utterance(SENTENCES["tl"][0], "tl")).language == "tl"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", SHORT_WORDS)
def test_short_utterances_never_change_it(language: str, word: str) -> None:
    belief = speaking(language)
    for guess in LANGUAGES:
        for seconds in (0.3, 1.0):
            evidence = utterance(word, guess, share=0.99, seconds=seconds)
            for _ in range(5):  # not even many
                decision = belief.update(evidence)
                assert decision.language == language
                belief = decision.belief


def test_what_is_said_quickly_does_not_change_it_either() -> None:
    quick = utterance("Quisiera una cita", "es", share=0.99, seconds=0.7)
    assert speaking("en").update(quick).language == "en"
    few = utterance("Quisiera pastel", "es", share=0.99, seconds=1.5)
    decision = speaking("en").update(few)
    assert (decision.language, decision.reason) == ("en", Reason.SHORT)
    assert decision.belief == speaking("en")  # such words are forgotten


@pytest.mark.parametrize("old", LANGUAGES)
@pytest.mark.parametrize("new", LANGUAGES)
def test_a_sentence_in_another_language_changes_it_at_once(old: str, new: str) -> None:
    for text in SENTENCES[new]:
        decision = speaking(old).update(utterance(text, new, share=0.8, seconds=1.5))
        assert decision.language == new
        assert max(decision.probabilities, key=lambda code: decision.probabilities[code]) == new


def test_a_wrong_guess_does_not() -> None:
    for text in SENTENCES["en"]:
        for guess in ("es", "fr", "hi", "tl"):
            decision = speaking("en").update(utterance(text, guess, share=0.9, seconds=2.5))
            assert (decision.language, decision.reason) == ("en", Reason.HEARD)


def test_unclear_words_weigh_little() -> None:
    evidence = utterance(SENTENCES["es"][0], "es", share=0.9, clarity=0.3)
    assert speaking("en").update(evidence).language == "en"


def test_noisy_conversations_have_few_wrong_flips_and_quick_right_ones() -> None:
    rng = random.Random(4)
    steady = wrong = switches = missed = 0
    for _ in range(300):
        language = rng.choice(LANGUAGES)
        belief = speaking(language)
        for turn in range(8):
            if switched := turn == 4:
                language = rng.choice([code for code in LANGUAGES if code != language])
            evidence = noisy(language, rng, rng.uniform(1.5, 4.0))
            decision = belief.update(evidence)
            belief = decision.belief
            steady, switches = steady + (not switched), switches + switched
            wrong += not switched and decision.language != language
            missed += switched and decision.language != language
    assert wrong <= 0.01 * steady
    assert missed <= 0.05 * switches  # the guess is wrong in 4% of them


def test_the_cost_of_switching_is_configuration() -> None:
    evidence = utterance(SENTENCES["es"][0], "es", share=0.9)
    for cost, language in ((0.0, "es"), (4.0, "es"), (12.0, "en")):
        belief = LanguageBelief.begin(LANGUAGES, "en", BeliefConfig(switch_cost=cost))
        for _ in range(4):
            belief = belief.update(utterance(SENTENCES["en"][0], "en")).belief
        assert belief.update(evidence).language == language


TAGLISH = [
    "Gusto ko sanang mag-book ng appointment for Monday morning.",
    "Puwede po bang i-reschedule yung appointment ko next week?",
    "Hindi ko ma-open yung account ko, please help naman.",
    "Meron ba kayong available na slot this Friday?",
]
HINGLISH = [
    "Mujhe Monday ko appointment book karna hai.",
    "Mera account open nahi ho raha hai, please help karo.",
    "Kya aap mujhe clinic ka address bata sakte hain?",
    "Doctor kab available hoga?  Mujhe tomorrow morning chahiye.",
]


@pytest.mark.parametrize(
    ("text", "matrix"), [(text, "tl") for text in TAGLISH] + [(text, "hi") for text in HINGLISH]
)
@pytest.mark.parametrize("before", ["en", "tl", "hi"])
def test_the_matrix_language_of_mixed_words_answers(text: str, matrix: str, before: str) -> None:
    guess: Mapping[str, float] = {"en": 0.75, matrix: 0.15}
    decision = speaking(before).update(Evidence(text, guess, 2.5, 0.85))
    assert decision.language == matrix


@pytest.mark.parametrize(
    "text", ["I live in Quezon City near the Ang family.", "Where can I buy a sari on Monday?"]
)
def test_english_with_a_foreign_name_stays_english(text: str) -> None:
    assert speaking("en").update(utterance(text, "en", share=0.6)).language == "en"


def test_a_request_changes_it_at_once_and_short_words_keep_it() -> None:
    decision = speaking("en").update(utterance("Can we speak Spanish?", "en", seconds=0.7))
    assert (decision.language, decision.reason) == ("es", Reason.REQUESTED)
    assert decision.belief.update(utterance("okay", "en", seconds=0.3)).language == "es"
