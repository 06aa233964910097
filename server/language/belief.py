"""The language of a conversation: a belief that every utterance moves, not a guess per turn.

A Bayesian filter (a hidden Markov model's forward step) over the deployed languages. Before each
utterance the belief fades, as far as the switching cost allows: a language that was not spoken so
far has to sound e^cost times likelier than the one that was. The evidence is the recognizer's
probabilities and the language of the transcript, weighted by how long and how clear the utterance
was; the function words of a code-switched transcript count for its matrix language. What decides
without evidence: the client's choice, and a caller who asks for a language.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from server.language.identification import identify, matrix_of
from server.language.requests import requested_language
from server.language.words import words_of

_DEFAULT_ODDS = 2.0  # of the default language to each other, before anything was said
_REQUESTED_ODDS = 1000.0  # of a language that was asked for
_LEAST_HEARD = 0.01  # probability that the recognizer's word is taken for, at least
_LEAST_READ = 0.05  # likewise of the transcript, which the recognizer's guess has coloured
_FUNCTION_WORD_EVIDENCE = 3.0  # natural logarithm, for each of the matrix language
_MOST_FUNCTION_WORDS = 3  # that count
_CLEAR = 0.7  # mean token probability of speech that is understood
_SHORT_WORDS = 2  # "no", "okay po": of any language
_FIRST_WEIGHT = 0.5  # least weight, while no language has been spoken that could be kept


class Reason(StrEnum):
    """Why a language was decided for."""

    CHOSEN = "chosen"  # by the client
    REQUESTED = "requested"  # by the caller, in words
    HEARD = "heard"  # the evidence
    SHORT = "short"  # too little was said to change it


@dataclass(frozen=True, slots=True)
class BeliefConfig:
    """How easily the language changes; see `ConversationConfig`."""

    switch_cost: float = 4.0
    switch_seconds: float = 0.8
    certain_seconds: float = 1.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an utterance tells of its language."""

    text: str  # the transcript
    probabilities: Mapping[str, float]  # by the recognizer, over the deployed languages
    voiced_seconds: float
    clarity: float  # mean token probability of the transcript


@dataclass(frozen=True, slots=True)
class LanguageBelief:
    """What language the caller speaks: state of a session. Immutable: an update makes another."""

    probabilities: Mapping[str, float]  # sum 1
    config: BeliefConfig = BeliefConfig()
    settled: bool = False  # whether enough was said for a language to be kept

    @classmethod
    def begin(
        cls,
        languages: tuple[str, ...],
        default: str,
        config: BeliefConfig | None = None,
        prior: Mapping[str, float] | None = None,
    ) -> Self:
        """Before anything was said: by the odds of the `prior`, if it has any for these languages;
        without it the default language is a little likelier."""
        hints = {language: odds for language, odds in (prior or {}).items() if odds > 1.0}
        if hints.keys().isdisjoint(languages):
            hints = {default: _DEFAULT_ODDS}
        odds = {language: hints.get(language, 1.0) for language in languages}
        return cls(_normalised(odds), config or BeliefConfig())

    def among(self, languages: Collection[str]) -> "LanguageBelief":
        """The same belief over these languages alone; one that is new is the least likely."""
        if set(languages) == set(self.probabilities):
            return self
        least = min(self.probabilities.values()) / _DEFAULT_ODDS
        odds = {code: self.probabilities.get(code, least) for code in languages}
        return replace(
            self, probabilities=_normalised(odds), settled=self.settled and self.language in odds
        )

    @property
    def language(self) -> str:
        """The likeliest."""
        return _likeliest(self.probabilities)

    def update(self, evidence: Evidence) -> "Decision":
        """What to believe after an utterance; `decision.belief` is to be kept if it counts."""
        languages = tuple(self.probabilities)
        requested = requested_language(evidence.text, languages)
        if requested is not None:
            odds = {code: _REQUESTED_ODDS if code == requested else 1.0 for code in languages}
            belief = replace(self, probabilities=_normalised(odds), settled=True)
            return Decision(requested, belief.probabilities, Reason.REQUESTED, belief)
        short = self._is_short(evidence)
        if short and self.settled:
            return Decision(self.language, self.probabilities, Reason.SHORT, self)
        found = self._posterior(evidence)
        belief = replace(self, probabilities=found, settled=not short)
        return Decision(belief.language, found, Reason.HEARD, belief)

    def _posterior(self, evidence: Evidence) -> dict[str, float]:
        logs = self._faded()
        for language, log in self._log_likelihoods(evidence).items():
            logs[language] += log
        highest = max(logs.values())
        return _normalised({code: math.exp(log - highest) for code, log in logs.items()})

    def _faded(self) -> dict[str, float]:
        """Log probabilities before the next utterance: each language may have taken over."""
        takes_over = math.exp(-self.config.switch_cost) if self.settled else 0.0
        return {
            language: math.log(probability + takes_over * (1 - probability) + 1e-12)
            for language, probability in self.probabilities.items()
        }

    def _log_likelihoods(self, evidence: Evidence) -> dict[str, float]:
        languages = tuple(self.probabilities)
        weight = self._weight(evidence)
        matrix = matrix_of(evidence.text, languages)
        read = identify(evidence.text, languages) if matrix is None else {}
        logs = {
            language: weight
            * (
                math.log(max(evidence.probabilities.get(language, 0.0), _LEAST_HEARD))
                + math.log(max(read.get(language, 0.0), _LEAST_READ))
            )
            for language in languages
        }
        if matrix is not None:
            counted = min(matrix.function_words, _MOST_FUNCTION_WORDS)
            logs[matrix.language] += _FUNCTION_WORD_EVIDENCE * counted * evidence.clarity
        return logs

    def _weight(self, evidence: Evidence) -> float:
        """Between 0 and 1: how much an utterance of such length and clarity tells."""
        length = min(1.0, evidence.voiced_seconds / self.config.certain_seconds)
        clarity = min(1.0, evidence.clarity / _CLEAR)
        return (length if self.settled else max(length, _FIRST_WEIGHT)) * clarity

    def _is_short(self, evidence: Evidence) -> bool:
        few_words = len(words_of(evidence.text)) <= _SHORT_WORDS
        return few_words or evidence.voiced_seconds < self.config.switch_seconds


@dataclass(frozen=True, slots=True)
class Decision:
    """The language to answer in."""

    language: str
    probabilities: Mapping[str, float]  # of the belief, sum 1
    reason: Reason
    belief: LanguageBelief  # with this utterance


def _normalised(odds: Mapping[str, float]) -> dict[str, float]:
    total = sum(odds.values())
    return {language: share / total for language, share in odds.items()}


def _likeliest(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda language: probabilities[language])
