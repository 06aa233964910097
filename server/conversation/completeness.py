"""Does what the caller has said so far end a turn? Text and audio in, a probability out.

Of the text there are three sources, the surest first:

- a number that is being dictated, which is complete only when it is long enough;
- the end of the text: a filler ("um"), a word that no turn ends with ("the"), a comma, dots;
- a linear classifier over words, their endings and the final punctuation, one per language,
  trained by `scripts/train_starter/endpointing.py`.

Punctuation alone decides nothing: Whisper puts a full stop behind nearly everything. The voice
(`prosody.py`) is added to the text: a recognizer that drops an "and" leaves a whole sentence, which
only the melody gives away.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from engines.stt import Transcript
from server.audio import Samples
from server.conversation.prosody import classifier, inputs_of
from server.language.resources import EndingWords, completeness_weights, ending_words
from server.language.words import words_of

_BROKEN_OFF = 0.05  # a filler, or a word that wants another
_TRAILING_OFF = 0.2  # a comma, dots, a dash
_DICTATING = 0.05
_DICTATED = 0.5  # as long as a telephone number: it may go on all the same
_SHORTEST_NUMBER_DIGITS = 7
_TRAILING_MARKS = (",", "…", "...", "..", "-", "–", "—", ":", ";")
_LONGEST_COUNTED_WORDS = 6
_LEAST = 0.01  # probability: no text is surer
_UNSURE, _SURE = 0.8, 0.95  # mean token probabilities of a transcript


@dataclass(frozen=True, slots=True)
class _Number:
    """Number words or digits at the end of a text."""

    tokens: int
    digits: int
    before: tuple[str, ...]  # the words that lead to it


def completeness(text: str, language: str) -> float | None:
    """Probability that a turn ends here; None when there is nothing to judge by.

    `text` is a transcript as people write, in `language`.
    """
    words = words_of(text)
    weights = completeness_weights(language)
    if not words or not weights:
        return None
    endings = ending_words(language)
    number = _final_number(words, endings)
    if _is_dictated(number, endings):
        return _DICTATING if number.digits < _SHORTEST_NUMBER_DIGITS else _DICTATED
    if _ends_with(words, endings.fillers) or _ends_with(words, endings.unfinished):
        return _BROKEN_OFF
    score = sum(weights.get(feature, 0.0) for feature in features(text))
    probability = _probability(score)
    return min(probability, _TRAILING_OFF) if final_mark(text) == "," else probability


def turn_completeness(
    transcript: Transcript,
    samples: Samples,
    low_confidence: float,
    voice_ends: float | None = None,
) -> float | None:
    """Probability that a turn ends after float32[n] at 16 kHz, by its words and by its voice.

    `voice_ends`: that of the voice alone, where another model than ours has heard it. None when
    there is nothing to judge by: no words that are sure enough, and no voice.
    """
    confidence = transcript.mean_token_probability
    known = transcript.text if confidence >= low_confidence else ""
    words = completeness(known, transcript.language)
    model = classifier()
    voice = None if voice_ends is None else _log_odds(voice_ends)
    if voice is None:
        inputs = inputs_of(samples, transcript, model.languages)
        voice = None if inputs is None else model.voice(inputs)
    if voice is None or words == _BROKEN_OFF:  # no voice makes a filler the end of a turn
        return doubted(words, confidence)
    return _probability(model.together(*evidence_of(words, confidence), voice))


def evidence_of(words: float | None, confidence: float) -> tuple[float, float]:
    """Log-odds of a text's completeness, and how far the recognizer is to be trusted: 0 to 1."""
    if words is None:
        return 0.0, 0.0
    return _log_odds(words), _trust(confidence)


def doubted(probability: float | None, confidence: float) -> float | None:
    """The completeness of a text that a recognizer is only so sure of (mean token probability).

    Half a sentence is often heard as a whole one, with an end that nobody has said; but hardly with
    confidence. On the starter recognizer and 160 turns, confidence was above 0.95 for most of the
    whole ones and for two in twenty of the halves.
    """
    if probability is None:
        return None
    return probability * _trust(confidence)


def _trust(confidence: float) -> float:
    return min(1.0, max(0.0, (confidence - _UNSURE) / (_SURE - _UNSURE)))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def features(text: str) -> Iterator[str]:
    """What the classifier sees of a text, by name."""
    words = words_of(text)
    count = min(len(words), _LONGEST_COUNTED_WORDS)
    padded = ["<", "<", *words]
    last, second, third = padded[-1], padded[-2], padded[-3]
    yield "bias"
    yield f"mark {final_mark(text)}"
    yield f"count {count}"
    yield f"last {last}"
    yield f"last {second} {last}"
    yield f"last {third} {second} {last}"
    yield f"second {second}"
    yield f"skip {third} {last}"
    yield from (f"ending {last[-length:]}" for length in (1, 2, 3, 4) if length < len(last))
    yield f"first {words[0]}"
    yield f"first {words[0]} {count}"
    if len(words) > 1:
        yield f"first {words[0]} {words[1]}"


def final_mark(text: str) -> str:
    """The class of the final punctuation: ".", "?", "!", "," for all that trails off, or "none"."""
    text = text.rstrip("\"'»”’) \u00a0\u202f")
    if text.endswith(_TRAILING_MARKS):
        return ","
    if text.endswith(("?", "!")):
        return text[-1]
    return "." if text.endswith((".", "।", "॥")) else "none"


def _ends_with(words: list[str], endings: frozenset[tuple[str, ...]]) -> bool:
    longest = max((len(ending) for ending in endings), default=0)
    return any(tuple(words[-length:]) in endings for length in range(1, longest + 1))


def _final_number(words: list[str], endings: EndingWords) -> _Number:
    tokens = digits = 0
    for word in reversed(words):
        found = _digits(word, endings)
        if not found:
            break
        tokens, digits = tokens + 1, digits + found
    return _Number(tokens, digits, tuple(words[: len(words) - tokens]))


def _digits(word: str, endings: EndingWords) -> int:
    """How many digits of a number this word stands for; 0 when it is none."""
    if word in endings.numbers:
        return 1
    bare = word.replace("-", "").replace(".", "").replace(",", "").replace("+", "")
    return len(bare) if bare.isdecimal() else 0


def _is_dictated(number: _Number, endings: EndingWords) -> bool:
    """Whether the number is a row of digits, and not an hour or an amount of a sentence."""
    if number.tokens >= 3:
        return True
    announced = not set(number.before[-5:]).isdisjoint(endings.number_names)
    return number.digits >= 2 and (announced or not number.before)
