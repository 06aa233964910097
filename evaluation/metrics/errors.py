"""Word and character errors by jiwer, clip by clip, so that any group of clips can be summed up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import jiwer

from evaluation.language_check import share_of_devanagari

Unit = Literal["words", "characters"]
Pair = tuple[str, str]  # what was said, what was heard; "" on one side: nothing

_WORDS = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
_CHARACTERS = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one clip, or summed up over many."""

    hits: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    wrong_script: int = 0  # of the substitutions: Devanagari was said, Latin letters were written

    @property
    def said(self) -> int:
        """Words, or characters, of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def wrong(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors for every word, or character, that was said; more than 1 if too much was heard."""
        return self.wrong / self.said if self.said else float(self.wrong > 0)

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(
            self.hits + other.hits,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.wrong_script + other.wrong_script,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """One clip: its errors, and which words were taken for which."""

    errors: Errors
    confusions: Counter[Pair] = field(default_factory=Counter)


def total(errors: Iterable[Errors]) -> Errors:
    """The sum."""
    return sum(errors, Errors())


def compare(
    references: Sequence[str], hypotheses: Sequence[str], unit: Unit = "words"
) -> list[Comparison]:
    """Each pair of normalised texts by itself, aligned by jiwer with the fewest errors.

    jiwer refuses an empty reference: all that was heard there is insertions.
    """
    pairs = list(zip(references, hypotheses, strict=True))
    spoken = [(reference, hypothesis) for reference, hypothesis in pairs if reference]
    aligned = iter(_aligned(spoken, unit) if spoken else [])
    return [next(aligned) if said else _of_nothing(heard, unit) for said, heard in pairs]


def _aligned(pairs: Sequence[Pair], unit: Unit) -> list[Comparison]:
    transform = _WORDS if unit == "words" else _CHARACTERS
    output = jiwer.process_words(
        [reference for reference, _ in pairs],
        [hypothesis for _, hypothesis in pairs],
        reference_transform=transform,
        hypothesis_transform=transform,
    )
    rows = zip(output.alignments, output.references, output.hypotheses, strict=True)
    return [_comparison(chunks, said, heard) for chunks, said, heard in rows]


def _comparison(
    chunks: Sequence[jiwer.AlignmentChunk], said: Sequence[str], heard: Sequence[str]
) -> Comparison:
    counts = Counter[str]()
    confusions = Counter[Pair]()
    for chunk in chunks:
        counts[chunk.type] += max(
            chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
        )
        if chunk.type != "equal":
            confusions.update(_pairs(chunk, said, heard))
    errors = Errors(
        hits=counts["equal"],
        substitutions=counts["substitute"],
        deletions=counts["delete"],
        insertions=counts["insert"],
        wrong_script=sum(n for pair, n in confusions.items() if _is_wrong_script(pair)),
    )
    return Comparison(errors, confusions)


def _pairs(chunk: jiwer.AlignmentChunk, said: Sequence[str], heard: Sequence[str]) -> list[Pair]:
    references = said[chunk.ref_start_idx : chunk.ref_end_idx]
    hypotheses = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
    if chunk.type == "substitute":
        return list(zip(references, hypotheses, strict=True))
    return [(word, "") for word in references] + [("", word) for word in hypotheses]


def _of_nothing(heard: str, unit: Unit) -> Comparison:
    items = heard.split() if unit == "words" else list(heard)
    return Comparison(Errors(insertions=len(items)), Counter(("", item) for item in items))


def _is_wrong_script(pair: Pair) -> bool:
    said, heard = pair
    has_letters = any(letter.isalpha() for letter in heard)
    return has_letters and share_of_devanagari(said) > 0.5 > share_of_devanagari(heard)
