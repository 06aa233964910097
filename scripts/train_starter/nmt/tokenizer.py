"""The subwords: one model of sentencepiece for all five languages, and a token for each target.

Ids are those of the vocabulary that CTranslate2 is given: the end, the unknown one, a token such as
`>>tl<<` for each language, the pieces.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.nmt.pairs import pair

END, UNKNOWN = "</s>", "<unk>"
_PIECES = 1600
_PAIRS = 40_000


def target_token(language: str) -> str:
    """The first token of a source."""
    return f">>{language}<<"


def train_pieces(path: Path) -> None:
    """Write the model of sentencepiece, learnt from pairs of the domain."""
    rng = random.Random("pieces")
    made = [pair(rng, "train") for _ in range(_PAIRS)]
    texts = sorted({text for each in made for text in (each.source, each.target)})
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=file,
            vocab_size=_PIECES,
            character_coverage=1.0,
            normalization_rule_name="identity",
            minloglevel=2,
        )


class Codec:
    """Texts to ids and back."""

    def __init__(self, path: Path) -> None:
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        every = [self._pieces.id_to_piece(index) for index in range(self._pieces.get_piece_size())]
        special = [END, UNKNOWN, *(target_token(language) for language in LANGUAGES)]
        self.vocabulary = [*special, *(p for p in every if p not in (END, UNKNOWN, "<s>"))]
        self._ids = {token: index for index, token in enumerate(self.vocabulary)}

    def source(self, text: str, language: str) -> list[int]:
        """What the encoder reads of a text that is to be said in `language`."""
        return [self._ids[target_token(language)], *self._encoded(text), self._ids[END]]

    def target(self, text: str) -> list[int]:
        """What the decoder says, without its end, which also begins it."""
        return self._encoded(text)

    def _encoded(self, text: str) -> list[int]:
        pieces: Sequence[str] = self._pieces.encode(text, out_type=str)
        return [self._ids.get(piece, self._ids[UNKNOWN]) for piece in pieces]
