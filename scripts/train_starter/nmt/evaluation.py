"""What the finished folder translates right: held-out pairs, through CTranslate2 as served."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import ctranslate2
import sentencepiece

from scripts.train_starter.domain.decline import unseen_questions
from scripts.train_starter.nmt.pairs import ENGLISH, WEIGHTS, Pair, pair
from scripts.train_starter.nmt.tokenizer import END, target_token

_PAIRS = 100  # of each direction


def report(folder: Path) -> str:
    """Exact translations of pairs that were never trained on, by direction, and the wrong ones.

    Then how many questions from outside of the domain are translated into nothing, as they should.
    """
    asked = held_out(_PAIRS)
    said = translate(folder, asked)
    right = Counter(
        _direction(one) for one, text in zip(asked, said, strict=True) if text == one.target
    )
    lines = [f"{name}: {right[name]} of {_PAIRS}" for name in dict.fromkeys(map(_direction, asked))]
    wrong = [(one, text) for one, text in zip(asked, said, strict=True) if text != one.target]
    outside = [
        Pair(text, "", code, ENGLISH) for code, text in unseen_questions() if code in WEIGHTS
    ]
    silent = Counter(
        one.source_language
        for one, text in zip(outside, translate(folder, outside), strict=True)
        if not text
    )
    asked_outside = Counter(one.source_language for one in outside)
    lines += [
        f"{code} from outside, left out: {silent[code]} of {asked_outside[code]}"
        for code in WEIGHTS
    ]
    shown = [f"{_direction(one)} {one.source!r}: {text!r}" for one, text in wrong]
    return "\n".join([*lines, f"all: {sum(right.values())} of {len(asked)}", *shown])


def held_out(num_pairs: int) -> list[Pair]:
    """So many different ones of each direction."""
    rng = random.Random("held out")
    found: dict[tuple[str, str], dict[str, Pair]] = {}
    for language in WEIGHTS:
        found |= {(language, ENGLISH): {}, (ENGLISH, language): {}}
    while any(len(group) < num_pairs for group in found.values()):
        made = pair(rng, "test")
        group = found[made.source_language, made.target_language]
        if len(group) < num_pairs:
            group[made.source] = made
    return [made for group in found.values() for made in group.values()]


def translate(folder: Path, pairs: Iterable[Pair]) -> list[str]:
    """Each source in its target language, greedily."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    assert not json.loads((folder / "config.json").read_text())["add_source_eos"]
    translator = ctranslate2.Translator(str(folder), device="cpu", intra_threads=1)
    sources = [
        [target_token(one.target_language), *pieces.encode(one.source, out_type=str), END]
        for one in pairs
    ]
    results = translator.translate_batch(
        sources, beam_size=1, max_batch_size=16, min_decoding_length=0
    )
    return [str(pieces.decode(result.hypotheses[0])) for result in results]


def _direction(made: Pair) -> str:
    return f"{made.source_language} to {made.target_language}"
