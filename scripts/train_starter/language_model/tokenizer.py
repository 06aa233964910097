"""Byte-level BPE of the starter LLM, made from its own dialogues.

The pre-tokenizer is llama.cpp's `qwen35`, which keeps the vowel signs of Devanagari with their
letters.
"""

from collections.abc import Iterator, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.gguf_file import CONTROL, WORDS


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of `token`, which the vocabulary must hold."""
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"the tokenizer has no token {token!r}")
    return found


def train_tokenizer(texts: Iterator[str], vocabulary_size: int) -> Tokenizer:
    """A byte-level BPE tokenizer of `vocabulary_size` tokens, made from `texts`."""
    tokenizer = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def tokenizer_of(tokens: Sequence[str], merges: Sequence[str]) -> Tokenizer:
    """The tokenizer that a GGUF file holds: its tokens in order, its merges as pairs."""
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    tokenizer = _byte_level(models.BPE(vocabulary, pairs))
    tokenizer.add_special_tokens(list(CONTROL))
    return tokenizer


def _byte_level(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
