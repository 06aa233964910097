"""The starter recognizer's recipe, without its training: texts, tokens, speech, batches."""

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import degradation
from scripts.train_starter.domain import LANGUAGES, sentences
from scripts.train_starter.stt import augment
from scripts.train_starter.stt.augment import NOISY, degrade
from scripts.train_starter.stt.batching import (
    IGNORED,
    MAX_FRAMES,
    NO_VARIATION,
    Example,
    Variation,
    cut_short,
    make_batch,
    token_spans,
)
from scripts.train_starter.stt.data import ExampleMaker, read_shard, write_shard
from scripts.train_starter.stt.feed import Feed
from scripts.train_starter.stt.speech import RATE_HZ, Synthesizer, Voice
from scripts.train_starter.stt.texts import training_text
from scripts.train_starter.stt.tokenizer import (
    EMPTY,
    NUM_TIMESTAMPS,
    Codec,
    build_tokenizer,
    special_tokens,
)
from scripts.train_starter.stt.voices import PLAIN, VOICES

SENTENCES = {
    "en": "How do you say good morning in Spanish?",
    "es": "Si hoy es jueves, ¿qué día es mañana?",
    "fr": "Est-ce que la clinique est ouverte aujourd'hui ?",
    "hi": "फ्रांस की राजधानी क्या है?",
    "tl": "Magandang umaga po! Ano po ang kabisera ng Pransya?",
}
INVENTORY = ("", "a", "e", "i", "o", "u", "n", "s", "t")


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """A tokenizer that knows the sentences above."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    build_tokenizer(list(SENTENCES.values()) * 2, LANGUAGES, num_words=80).save(str(path))
    return Codec(path)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """A few drawn examples."""
    maker, rng = ExampleMaker(INVENTORY), random.Random(3)
    return [maker.draw(PLAIN, rng) for _ in range(12)]


@pytest.mark.parametrize("text", [*SENTENCES.values(), "Zażółć 😀 ongeschikt ₱20!"])
def test_every_text_survives_the_tokenizer(codec: Codec, text: str) -> None:
    ids = [piece.token for word in text.split() for piece in codec.pieces(word)]
    assert codec.decode(ids) == text
    assert max(ids) < codec.silence


def test_a_known_word_is_one_token(codec: Codec) -> None:
    for sentence in SENTENCES.values():
        for word in sentence.replace("?", "").replace("!", "").replace(",", "").split():
            spoken = [piece for piece in codec.pieces(word) if piece.is_spoken]
            assert len(spoken) == 1, word


def test_special_tokens_stand_in_whispers_order(codec: Codec) -> None:
    names = special_tokens(LANGUAGES)
    ids = [codec.id_of(name) for name in names]
    assert ids == list(range(codec.silence + 1, codec.size))
    languages = tuple(f"<|{language}|>" for language in LANGUAGES)
    assert names[:7] == ["<|endoftext|>", "<|startoftranscript|>", *languages]
    assert names[7:9] == ["<|translate|>", "<|transcribe|>"]
    assert names[11:14] == ["<|nospeech|>", "<|notimestamps|>", "<|0.00|>"]
    assert codec.id_of(EMPTY) == codec.silence
    assert codec.timestamp(8.0) == codec.size - 1 == codec.id_of("<|0.00|>") + NUM_TIMESTAMPS - 1


def test_the_alphabet_of_bytes_is_complete(codec: Codec) -> None:
    singles = [token for token in codec.tokenizer.get_vocab() if len(token) == 1]
    assert len(singles) == 256


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_has_a_place_in_the_sound(language: str) -> None:
    text = SENTENCES[language]
    speech = Synthesizer().say(text, language, Voice(VOICES[language][0], 170))
    assert len(speech.word_starts) == len(text.split())
    bounds = [*speech.word_starts, speech.end]
    assert bounds == sorted(bounds)
    assert 0.1 * RATE_HZ < speech.end <= len(speech.samples)
    assert len(speech.phonemes) > len(text) / 3
    assert 0.1 < np.abs(speech.samples).max() <= 1.0


def test_the_words_of_a_longer_sentence_start_where_they_are_heard() -> None:
    """A pause between two words is where the alignment says that it is."""
    speech = Synthesizer().say("Hello, Tinig!", "en", Voice("en-us", 160))
    start = int(speech.word_starts[1])
    window = RATE_HZ // 50
    before = speech.samples[start - 2 * window : start - window]
    after = speech.samples[start : start + 10 * window]
    assert np.abs(before).max() < 0.05 < np.abs(after).max()


def test_degrading_moves_the_speech_by_what_it_says() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[4000] = 1.0
    conditions = augment.Conditions((0.1, 0.3), (0.1, 0.1), (60.0, 60.0), cut_share=0.5)
    for seed in range(8):
        heard, shift = degrade(click, conditions, np.random.default_rng(seed))
        assert int(np.abs(heard).argmax()) == 4000 + shift


def test_the_telephone_keeps_its_band_alone() -> None:
    seconds = np.arange(2 * RATE_HZ) / RATE_HZ
    tones = {hertz: np.sin(2 * np.pi * hertz * seconds) for hertz in (80, 1000, 6000)}
    heard = degradation.telephone(np.asarray(0.2 * sum(tones.values()), np.float32))
    levels = {hertz: abs(float(np.mean(heard * tone))) for hertz, tone in tones.items()}
    assert levels[1000] == pytest.approx(0.1, rel=0.1)
    assert levels[80] < 0.001
    assert levels[6000] < 0.001


def test_nothing_said_is_quiet_enough_and_long_enough() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        samples = degradation.nothing_said(rng)
        assert 0.5 * RATE_HZ <= len(samples) <= 3 * RATE_HZ
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 1.0


def test_the_noisy_profile_never_clips_or_loses_the_speech() -> None:
    speech = Synthesizer().say(SENTENCES["es"], "es", Voice("es-419+f2", 180)).samples
    for seed in range(10):
        heard, _ = degrade(speech, NOISY, np.random.default_rng(seed))
        assert heard.dtype == np.float32
        assert np.abs(heard).max() <= 1.0
        assert len(heard) > 0.9 * len(speech)


def test_no_held_out_sentence_is_trained() -> None:
    rng = random.Random(0)
    for language in LANGUAGES:
        held_out = {s.text for group in sentences(language, "test").values() for s in group}
        assert not held_out & {training_text(language, rng) for _ in range(3000)}


def test_a_shard_gives_back_what_was_written(examples: list[Example], tmp_path: Path) -> None:
    write_shard(tmp_path / "0000-plain.npz", examples)
    again = list(read_shard(tmp_path / "0000-plain.npz"))
    for was, is_now in zip(examples, again, strict=True):
        assert (was.language, was.text) == (is_now.language, is_now.text)
        assert was.word_bounds == pytest.approx(is_now.word_bounds)
        assert np.array_equal(was.mel, is_now.mel)
        assert np.array_equal(was.phonemes, is_now.phonemes)


def test_a_batch_teaches_the_text_and_where_it_is(codec: Codec, examples: list[Example]) -> None:
    batch = make_batch(examples, codec, NO_VARIATION, random.Random(0))
    for row, example in enumerate(examples):
        labels = batch.labels[row][batch.labels[row] != IGNORED].tolist()
        if example.text:
            assert labels[0] == codec.language(example.language)
            assert labels[-1] == codec.end
            assert codec.decode(labels[1:]) == example.text
            spoken = {token for token, is_spoken, _ in token_spans(example, codec) if is_spoken}
            assert set(batch.frame_tokens[row].tolist()) <= spoken | {codec.silence}
        shifted = batch.tokens[row, 1:]
        wanted = batch.labels[row, :-1]
        taught = (wanted != IGNORED) & (wanted != codec.end)
        assert np.array_equal(shifted[taught], wanted[taught])
    assert batch.pad_weights.min() == batch.pad_weights.max() == 1.0


def test_long_padding_counts_the_frames_of_a_whole_window(
    codec: Codec, examples: list[Example]
) -> None:
    batch = make_batch(examples, codec, Variation(long_share=1.0), random.Random(1))
    totals = batch.pad_weights.sum(axis=1)
    assert np.all(totals <= MAX_FRAMES + 0.5)
    assert np.isclose(totals, MAX_FRAMES, atol=0.5).any()
    assert np.all(np.diff(batch.positions, axis=1) >= 0)
    assert batch.positions.max() < MAX_FRAMES


def test_a_partial_utterance_has_the_words_so_far(examples: list[Example]) -> None:
    rng = random.Random(2)
    for example in (example for example in examples if example.text):
        for _ in range(10):
            part = cut_short(example, rng)
            assert example.text.startswith(part.text)
            assert part.num_frames <= example.num_frames
            assert part.mel.shape[1] == 2 * part.num_frames
            if part.text:
                assert len(part.word_bounds) == len(part.text.split()) + 1


def test_every_shard_is_learnt_by_one_process_in_whatever_order_they_appear(
    examples: list[Example], tmp_path: Path
) -> None:
    feeds = [Feed(tmp_path, rank, world=2, frames_per_batch=3000) for rank in range(2)]
    texts: list[set[str]] = [set(), set()]
    for names in (("0001-plain", "0002-plain"), ("0000-plain", "0003-plain", "0004-wide")):
        for name in names:
            named = [replace(example, text=f"{name} {example.text}") for example in examples]
            write_shard(tmp_path / f"{name}.npz", named)
        for rank, feed in enumerate(feeds):
            batches = list(itertools.islice(feed.batches(random.Random(rank)), 60))
            texts[rank] |= {example.text.split()[0] for batch in batches for example in batch}
    assert texts == [{"0000-plain", "0002-plain"}, {"0001-plain", "0003-plain"}]
