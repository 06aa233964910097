"""The classifier of complete turns: its data, its training, and how good its tables are."""

from pathlib import Path

import pytest

from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.endpointing import (
    Example,
    domain_examples,
    evaluate,
    examples,
    figures,
    is_held_out,
    train,
    unseen_examples,
)
from scripts.train_starter.linear import write
from server.conversation.completeness import features
from server.language.resources import completeness_weights

DOMAIN_AREA = 0.98
DOMAIN_COMPLETE_RECALL = 0.95
HELD_OUT_AREA = 0.94
UNSEEN_AREA = 0.92


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_domain_is_known(language: str) -> None:
    found = evaluate(domain_examples(language), language)
    assert found.area >= DOMAIN_AREA
    assert found.complete_recall >= DOMAIN_COMPLETE_RECALL


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_that_were_never_trained_on_are_told_apart(language: str) -> None:
    assert evaluate(examples(language, held_out=True), language).area >= HELD_OUT_AREA


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_unlike_any_template_are_told_apart(language: str) -> None:
    data = unseen_examples(language)
    assert sum(example.complete for example in data) >= 80
    assert evaluate(data, language).area >= UNSEEN_AREA


def test_no_text_is_complete_and_incomplete() -> None:
    data = examples("en", held_out=False)
    whole = {example.text.rstrip(".?!") for example in data if example.complete}
    cut = {example.text.rstrip(".?!,") for example in data if not example.complete}
    assert not whole & cut
    assert "I called yesterday" not in cut  # the sentence may end there


def test_a_template_is_on_one_side_alone() -> None:
    train_texts = {example.text for example in examples("fr", held_out=False)}
    held_texts = {example.text for example in examples("fr", held_out=True) if example.complete}
    assert len(held_texts & train_texts) < 0.1 * len(held_texts)
    assert 0.1 < sum(is_held_out(str(n)) for n in range(1000)) / 1000 < 0.2


def test_training_finds_what_ends_a_turn(tmp_path: Path) -> None:
    data = [Example(f"I see the {thing}.", True) for thing in ("cat", "dog", "cow", "hen")] * 3
    data += [Example(text, False) for text in ("I see the.", "I see.", "I.")] * 3
    weights = train(data)
    assert weights["count 4"] > 0 > weights["last the"]
    path = tmp_path / "completeness.tsv"
    write(path, weights)
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    assert {name: float(weight) for name, weight in rows} == weights


def test_figures_of_perfect_and_of_blind_guesses() -> None:
    data = [Example("a", True), Example("b", False)] * 10
    assert figures([0.9, 0.1] * 10, data).area == 1.0
    assert figures([0.5, 0.5] * 10, data).area == 0.5
    assert figures([0.9, 0.1] * 10, data).complete_recall == 1.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_committed_table_is_small_and_speaks_of_the_features_that_there_are(
    language: str,
) -> None:
    weights = completeness_weights(language)
    assert 1000 < len(weights) < 10_000
    kinds = {name.split(" ")[0] for name in weights}
    assert kinds <= {feature.split(" ")[0] for feature in features("one two three four five")}
