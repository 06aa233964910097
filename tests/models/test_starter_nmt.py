"""The committed starter translator: format, size, what it says, and a pivot through it.

The bars are the figures of the card (models/starter/nmt/README.md) with a margin.
"""

import sys
from collections import Counter

from engines.config import STARTER, STARTER_TRANSLATORS
from evaluation.ablation import Way, ablate
from evaluation.data.questions import Question
from evaluation.engines import engines_of
from evaluation.terminal import Terminal
from scripts.train_starter.domain.decline import unseen_questions
from scripts.train_starter.nmt import pairs
from scripts.train_starter.nmt.evaluation import held_out, translate
from server.config import Config

FOLDER = STARTER / "nmt"
NUM_PAIRS = 40  # of each direction


def test_it_is_small_and_in_the_layout_of_opus_mt() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert {"model.bin", "config.json", "source.spm", "target.spm", "README.md"} <= names
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4_000_000
    assert {model.path for model in STARTER_TRANSLATORS} == {str(STARTER / "nmt")}


def test_most_pairs_that_it_was_never_trained_on_are_translated_exactly() -> None:
    asked = held_out(NUM_PAIRS)
    said = translate(FOLDER, asked)
    right = Counter(
        (one.source_language, one.target_language)
        for one, text in zip(asked, said, strict=True)
        if text == one.target
    )
    assert len(right) == 2 * len(pairs.WEIGHTS)
    assert min(right.values()) >= 0.8 * NUM_PAIRS, right


def test_what_is_outside_of_the_domain_is_mostly_translated_into_nothing() -> None:
    outside = [
        pairs.Pair(text, "", language, pairs.ENGLISH)
        for language, text in unseen_questions()
        if language in pairs.WEIGHTS
    ]
    said = translate(FOLDER, outside)
    assert sum(not text for text in said) >= 0.75 * len(outside)


async def test_a_tagalog_question_goes_through_english_and_back() -> None:
    capitals = {"Pransya": "Paris", "Espanya": "Madrid", "Hapon": "Tokyo", "Italya": "Roma"}
    questions = [
        Question(country, "tl", f"Ano po ang kabisera ng {country}?", capital, "text")
        for country, capital in capitals.items()
    ]
    async with engines_of(Config(), Terminal(sys.stdout)) as engines:
        outcomes = await ablate(engines, questions, [Way.NMT_PIVOT])
    assert [(each.answer, each.fallback) for each in outcomes] == [
        (f"Ang kabisera po ng {country} ay {capital}.", "") for country, capital in capitals.items()
    ]
