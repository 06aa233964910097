"""Trains the classifier that tells how complex a question is; one table for all languages.

`python -m scripts.train_starter.complexity` writes `server/language/data/complexity.tsv` and prints
how far it agrees with the questions of the test; seconds on one core. numpy is all it needs.

Data: the questions of `complexity.toml`, and as simple ones the sentences of the closed domain and
short everyday ones (`endpointing.toml`). Model: one complexity against the others by logistic
regression (`linear.py`) over the features of `server.language.router`, which are the same in all
languages. The test is `evaluation/languages/queries.toml`, of which nothing is trained on.
"""

import random
import tomllib
from pathlib import Path

from evaluation.languages.queries import Query, labelled
from scripts.train_starter.domain import LANGUAGES, sentences
from scripts.train_starter.endpointing import everyday_sentences
from scripts.train_starter.linear import Weights, fit, write
from server.language.router import Complexity, complexity_of, features

TABLE = Path(__file__).parents[2] / "server" / "language" / "data" / "complexity.tsv"
_QUESTIONS = Path(__file__).with_suffix(".toml")
_EVERYDAY = 40  # sentences a language
_LONGEST_EVERYDAY_WORDS = 9
_DOMAIN_FILLINGS = 1  # of each of its patterns


def training_queries() -> list[Query]:
    """Of all languages."""
    rng = random.Random("complexity")
    data = tomllib.loads(_QUESTIONS.read_text(encoding="utf-8"))
    written = [
        Query(text, language, Complexity(name))
        for language in LANGUAGES
        for name, texts in data[language].items()
        for text in texts
    ]
    simple = [
        Query(text, language, Complexity.SIMPLE)
        for language in LANGUAGES
        for text in _simple_sentences(language, rng)
    ]
    return written + simple


def train(queries: list[Query]) -> Weights:
    """Weights by complexity and feature."""
    examples = [["bias", *features(query.text, query.language)] for query in queries]
    weights: Weights = {}
    for each in Complexity:
        own = fit(examples, [query.complexity is each for query in queries])
        weights |= {f"{each.value} {name}": weight for name, weight in own.items()}
    return weights


def agreement(queries: list[Query]) -> float:
    """Share whose complexity is the one that a person gave them."""
    hits = sum(complexity_of(each.text, each.language)[0] is each.complexity for each in queries)
    return hits / len(queries)


def _simple_sentences(language: str, rng: random.Random) -> list[str]:
    domain = [
        sentence.text
        for group in sentences(language, "train").values()
        for sentence in rng.sample(group, min(len(group), _DOMAIN_FILLINGS))
    ]
    everyday = [" ".join(text.replace("|", " ").split()) for text in everyday_sentences(language)]
    short = [text for text in everyday if len(text.split()) <= _LONGEST_EVERYDAY_WORDS]
    return domain + rng.sample(short, min(len(short), _EVERYDAY))


def main() -> None:
    """Train, and say how good it is."""
    queries = training_queries()
    write(TABLE, train(queries))
    test = labelled()
    for name, group in (("trained on", queries), ("test", test)):
        for language in LANGUAGES:
            own = [query for query in group if query.language == language]
            print(f"{language} {name}: {len(own)} questions, {agreement(own):.0%} agree")


if __name__ == "__main__":
    main()
