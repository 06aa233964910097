"""Examples into arrays: what one training step sees. numpy only.

An encoder frame is 20 ms: two frames of the mel spectrogram.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scripts.train_starter.stt.tokenizer import Codec

NUM_MELS = 80
FRAME_SECONDS = 0.02
MAX_FRAMES = 1500  # 30 s
PAD_FRAMES = 8  # silence that is always behind the longest example of a batch
WARP = (0.85, 1.18)  # of the mel axis, about the range of adults' vocal tracts
IGNORED = -100  # label of a position that has no loss


@dataclass(frozen=True, slots=True)
class Example:
    """One utterance, ready to be learnt. Positions are encoder frames."""

    mel: NDArray[np.float16]  # [80, 2 x frames], normalised as Whisper's
    phonemes: NDArray[np.int64]  # [frames] index into the inventory; 0 is silence
    language: str  # "" where nothing is said
    text: str
    word_bounds: tuple[float, ...]  # start of every word, then the end of the last

    @property
    def num_frames(self) -> int:
        """Frames of the encoder."""
        return len(self.phonemes)


@dataclass(frozen=True, slots=True)
class Variation:
    """What is done to the examples of a step, as shares of them."""

    warp_share: float = 0.7  # another length of vocal tract
    mask_share: float = 0.5  # parts of the spectrogram blanked (SpecAugment)
    partial_share: float = 0.0  # cut in the middle, as a partial transcript sees it
    timestamp_share: float = 0.1
    long_share: float = 0.0  # padded to 30 s as faster-whisper does; see `Batch.pad_weights`


NO_VARIATION = Variation(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of one step: B examples, T encoder frames, W token positions.

    Padding to 30 s is never computed. The few frames of padding of a short batch stand for all of
    it: `pad_weights` says how many frames each stands for (added to the attention as a logarithm)
    and `positions` spreads them over the whole window, so that the attention's softmax is a fair
    sample of the long one.
    """

    mel: NDArray[np.float32]  # [B, 80, 2T]
    positions: NDArray[np.int64]  # [B, T] index of the position embedding
    pad_weights: NDArray[np.float32]  # [B, T] 1 for speech
    tokens: NDArray[np.int64]  # [B, W] decoder input
    labels: NDArray[np.int64]  # [B, W] decoder target, IGNORED where there is no loss
    frame_phonemes: NDArray[np.int64]  # [B, T]
    frame_tokens: NDArray[np.int64]  # [B, T]
    current: NDArray[np.float32]  # [B, W, T] frames of the token to come
    previous: NDArray[np.float32]  # [B, W, T] frames of the token before


@dataclass(frozen=True, slots=True)
class Target:
    """What the decoder is to write: inputs, labels, and the frames of every label."""

    tokens: list[int]
    labels: list[int]
    spans: list[tuple[float, float] | None]


def make_batch(
    examples: Sequence[Example], codec: Codec, variation: Variation, rng: random.Random
) -> Batch:
    """All arrays of a step. The longest example decides the number of frames."""
    chosen = [vary(example, variation, rng) for example in examples]
    num_frames = max(example.num_frames for example in chosen) + PAD_FRAMES
    targets = [_target(example, codec, variation, rng) for example in chosen]
    width = max(len(target.tokens) for target in targets)
    shape = (len(chosen), num_frames)
    batch = Batch(
        mel=np.zeros((len(chosen), NUM_MELS, 2 * num_frames), np.float32),
        positions=np.tile(np.arange(num_frames), (len(chosen), 1)),
        pad_weights=np.ones(shape, np.float32),
        tokens=np.full((len(chosen), width), codec.end),
        labels=np.full((len(chosen), width), IGNORED),
        frame_phonemes=np.zeros(shape, np.int64),
        frame_tokens=np.full(shape, codec.silence),
        current=np.zeros((len(chosen), width, num_frames), np.float32),
        previous=np.zeros((len(chosen), width, num_frames), np.float32),
    )
    for row, (example, target) in enumerate(zip(chosen, targets, strict=True)):
        _write_sound(batch, row, example, codec)
        _write_target(batch, row, target)
        if rng.random() < variation.long_share:
            _lengthen(batch, row, example.num_frames, rng)
    return batch


def vary(example: Example, variation: Variation, rng: random.Random) -> Example:
    """Another voice, holes in the spectrogram, an early end."""
    if example.text and rng.random() < variation.partial_share:
        example = cut_short(example, rng)
    mel = example.mel
    if rng.random() < variation.warp_share:
        mel = warp(mel, rng.uniform(*WARP))
    if rng.random() < variation.mask_share:
        mel = mask(mel, rng)
    return replace(example, mel=mel)


def cut_short(example: Example, rng: random.Random) -> Example:
    """The beginning of an utterance: the words so far, without punctuation at the end.

    The cut is near the beginning of a word, up to a quarter into it.
    """
    words = example.text.split()
    kept = rng.randint(0, len(words) - 1)
    bounds = example.word_bounds
    at = bounds[kept] + rng.uniform(0.0, 0.25) * (bounds[kept + 1] - bounds[kept])
    frames = min(max(25, int(at)), example.num_frames)
    if at < 25:  # under half a second: what is heard there is left to chance
        return example
    text = " ".join(words[:kept]).rstrip(" ,.;:!?।…")
    return replace(
        example,
        mel=example.mel[:, : 2 * frames],
        phonemes=example.phonemes[:frames],
        language=example.language if text else "",
        text=text,
        word_bounds=(*bounds[:kept], bounds[kept]) if text else (),
    )


def warp(mel: NDArray[np.float16], factor: float) -> NDArray[np.float16]:
    """Vocal tract length perturbation: the mel axis stretched by `factor`."""
    at = np.clip(np.arange(NUM_MELS) * factor, 0, NUM_MELS - 1)
    low = at.astype(np.int64)
    part = (at - low).astype(np.float32)[:, None]
    above = np.minimum(low + 1, NUM_MELS - 1)
    return np.asarray(mel[low] * (1 - part) + mel[above] * part, np.float16)


def mask(mel: NDArray[np.float16], rng: random.Random) -> NDArray[np.float16]:
    """One or two narrow bands and moments set to zero (SpecAugment, Park et al. 2019)."""
    masked = mel.copy()
    for _ in range(rng.randint(1, 2)):
        band = rng.randrange(NUM_MELS)
        masked[band : band + rng.randint(0, 8)] = 0
        moment = rng.randrange(mel.shape[1])
        masked[:, moment : moment + rng.randint(0, 8)] = 0
    return masked


def token_spans(example: Example, codec: Codec) -> list[tuple[int, bool, tuple[float, float]]]:
    """(token, is spoken, frames) of a text: the tokens of a word share its time by letters."""
    spans: list[tuple[int, bool, tuple[float, float]]] = []
    for index, word in enumerate(example.text.split()):
        start, end = example.word_bounds[index], example.word_bounds[index + 1]
        end = max(end, start + 2)
        pieces = codec.pieces(word)
        letters = np.cumsum([0.0] + [len(p.text) * p.is_spoken for p in pieces])
        edges = start + (end - start) * letters / max(letters[-1], 1)
        for piece, low, high in zip(pieces, edges, edges[1:], strict=False):
            spans.append((piece.token, piece.is_spoken, (float(low), float(high))))
    return spans


def _target(example: Example, codec: Codec, variation: Variation, rng: random.Random) -> Target:
    if not example.text:
        return _empty_target(codec, rng)
    language = codec.language(example.language)
    spans = token_spans(example, codec)
    text = [token for token, _, _ in spans]
    frames: list[tuple[float, float] | None] = [span for _, _, span in spans]
    last = (example.word_bounds[-1] - 2, example.word_bounds[-1] + 6)
    head = [codec.start, language, codec.transcribe]
    if rng.random() < variation.timestamp_share:
        begin, stop = codec.timestamp(0), codec.timestamp(example.num_frames * FRAME_SECONDS)
        tokens = [*head, begin, *text, stop]
        labels = [language, IGNORED, begin, *text, stop, codec.end]
        return Target(tokens, labels, [None, None, None, *frames, last, last])
    tokens = [*head, codec.no_timestamps, *text]
    labels = [language, IGNORED, IGNORED, *text, codec.end]
    return Target(tokens, labels, [None, None, None, *frames, last])


def _empty_target(codec: Codec, rng: random.Random) -> Target:
    """Nothing is said: no speech at the start, or the end at once in any language."""
    if rng.random() < 0.5:
        return Target([codec.start], [codec.no_speech], [None])
    low, high = codec.start + 1, codec.id_of("<|translate|>") - 1
    prompt = [codec.start, rng.randint(low, high), codec.transcribe, codec.no_timestamps]
    return Target(prompt, [IGNORED, IGNORED, IGNORED, codec.end], [None] * 4)


def _write_sound(batch: Batch, row: int, example: Example, codec: Codec) -> None:
    batch.mel[row, :, : example.mel.shape[1]] = example.mel
    batch.frame_phonemes[row, : example.num_frames] = example.phonemes
    for token, is_spoken, (start, end) in token_spans(example, codec):
        if is_spoken:
            batch.frame_tokens[row, int(start) : max(int(end), int(start) + 1)] = token


def _write_target(batch: Batch, row: int, target: Target) -> None:
    batch.tokens[row, : len(target.tokens)] = target.tokens
    batch.labels[row, : len(target.labels)] = target.labels
    num_frames, width = batch.positions.shape[1], batch.tokens.shape[1]
    for index, span in enumerate(target.spans):
        if span is None:
            continue
        frames = slice(max(0, int(span[0]) - 1), min(num_frames, int(span[1]) + 2))
        batch.current[row, index, frames] = 1
        if index + 1 < width:
            batch.previous[row, index + 1, frames] = 1


def _lengthen(batch: Batch, row: int, num_spoken: int, rng: random.Random) -> None:
    """Let the padding of one example stand for a window of 30 s, or now and then a shorter one."""
    num_frames = batch.positions.shape[1]
    total = MAX_FRAMES if rng.random() < 0.6 else rng.randint(num_frames, MAX_FRAMES)
    near = num_spoken + 2  # the first frames of padding still see the speech
    num_padding = num_frames - near
    batch.pad_weights[row, near:] = (total - near) / num_padding
    spread = np.linspace(near, total - 1, num_padding) + rng.uniform(-0.5, 0.5)
    batch.positions[row, near:] = np.clip(spread, near, MAX_FRAMES - 1).astype(np.int64)
