"""The tokenizer: whole words of the closed domain, pieces of words, and bytes for all the rest.

A word that the model is meant to know is one token, so that a sentence takes few steps and every
token has a sound of its own; anything else is still spelled with pieces and bytes. The layout of
the special tokens is Whisper's: CTranslate2 and faster-whisper rely on their order.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

NUM_PIECES = 400  # learnt by byte pair encoding, beyond the 256 bytes
NUM_TIMESTAMPS = 401  # 0 to 8 s
TIMESTAMP_SECONDS = 0.02
END, START = "<|endoftext|>", "<|startoftranscript|>"
TRANSCRIBE, NO_SPEECH, NO_TIMESTAMPS = "<|transcribe|>", "<|nospeech|>", "<|notimestamps|>"
EMPTY = ""  # CTranslate2 takes a vocabulary without the empty string for English only

# Words with their marks, apostrophes and hyphens inside, a space before them; punctuation apart.
_LETTERS = r"[\p{L}\p{M}\p{N}]+"
_SPLIT = rf" ?{_LETTERS}(?:['’\-]{_LETTERS})*| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+|\s+"


def special_tokens(languages: Sequence[str]) -> list[str]:
    """Whisper's special tokens in Whisper's order, the timestamps last."""
    named = [END, START, *(f"<|{language}|>" for language in languages)]
    named += ["<|translate|>", TRANSCRIBE, "<|startoflm|>", "<|startofprev|>"]
    timestamps = [f"<|{step * TIMESTAMP_SECONDS:.2f}|>" for step in range(NUM_TIMESTAMPS)]
    return [*named, NO_SPEECH, NO_TIMESTAMPS, *timestamps]


def build_tokenizer(
    texts: Iterable[str], languages: Sequence[str], num_words: int, min_count: int = 2
) -> Tokenizer:
    """A tokenizer whose `num_words` commonest words of `texts` are single tokens."""
    spoken = [" " + text for text in texts]
    tokenizer = _learn_pieces(spoken)
    words = Counter(
        word for text in spoken for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)
    )
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    for word, count in words.most_common(num_words):
        if count >= min_count:
            vocabulary.setdefault(word, len(vocabulary))
    vocabulary[EMPTY] = len(vocabulary)
    state["model"]["ignore_merges"] = True  # a word in the vocabulary is taken whole
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in special_tokens(languages)]
    )
    return tokenizer


def _learn_pieces(texts: Iterable[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + NUM_PIECES,
        special_tokens=[],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a word."""

    token: int
    text: str
    is_spoken: bool  # False: only punctuation, which has no sound


class Codec:
    """Token ids of a tokenizer, by what they mean."""

    def __init__(self, tokenizer_file: Path) -> None:
        self.tokenizer = tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self.size: int = tokenizer.get_vocab_size()
        self.silence = self.id_of(EMPTY)  # label of a frame without speech; text ids are below
        self.end = self.id_of(END)
        self.start = self.id_of(START)
        self.transcribe = self.id_of(TRANSCRIBE)
        self.no_speech = self.id_of(NO_SPEECH)
        self.no_timestamps = self.id_of(NO_TIMESTAMPS)
        self._pieces: dict[str, tuple[Piece, ...]] = {}

    def id_of(self, token: str) -> int:
        """Raises `KeyError` for what is no token."""
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return int(found)

    def language(self, language: str) -> int:
        """The token of a language."""
        return self.id_of(f"<|{language}|>")

    def timestamp(self, seconds: float) -> int:
        """The token of a time, at most 8 s."""
        step = min(round(seconds / TIMESTAMP_SECONDS), NUM_TIMESTAMPS - 1)
        return self.id_of(f"<|{step * TIMESTAMP_SECONDS:.2f}|>")

    def pieces(self, word: str) -> tuple[Piece, ...]:
        """The tokens of a word between white space, with the space before it."""
        if word not in self._pieces:
            encoded = self.tokenizer.encode(" " + word, add_special_tokens=False)
            texts = [(" " + word)[slice(*offset)] for offset in encoded.offsets]
            pairs = zip(encoded.ids, texts, strict=True)
            self._pieces[word] = tuple(Piece(i, text, is_spoken(text)) for i, text in pairs)
        return self._pieces[word]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of the tokens before the first special one."""
        text_tokens = [token for token in tokens if token < self.silence]
        return str(self.tokenizer.decode(text_tokens)).strip()


def is_spoken(text: str) -> bool:
    """Whether a piece of text has a letter, a mark or a digit."""
    return any(unicodedata.category(character)[0] in "LMN" for character in text)
