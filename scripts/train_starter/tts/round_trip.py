"""Is the starter voice understood? Word error rate of the starter STT on it and on eSpeak NG.

`python -m scripts.train_starter.tts.round_trip --voice models/starter/tts/starter.onnx`; it needs
no torch. Both voices read the same held-out sentences, and the STT is told the language.
"""

import argparse
import asyncio
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import jiwer
import numpy as np
import soxr

from engines.batcher import Batcher
from engines.config import STARTER, SttConfig, VoiceConfig
from engines.stt import SttEngine, SttRequest, Transcript
from engines.tts import SpeechChunk, SpeechRequest, TtsConfig, TtsEngine
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.tts.corpus import Text, held_out_texts

_SEED = 7
_STT_RATE_HZ = 16000
_NOTHING_HEARD = "∅"


async def main() -> None:
    """Print a line per language."""
    arguments = _parse()
    voices = tuple(VoiceConfig(language, "piper", str(arguments.voice)) for language in LANGUAGES)
    tts: Batcher[SpeechRequest, SpeechChunk] = Batcher("tts", TtsEngine(TtsConfig(voices)))
    stt: Batcher[SttRequest, Transcript] = Batcher("stt", SttEngine(SttConfig(arguments.stt)))
    texts = held_out_texts(arguments.sentences, _SEED)
    async with tts, stt:
        rates = {
            name: await _word_error_rates(tts, stt, texts, voice)
            for name, voice in [("starter", ""), ("eSpeak NG", "espeak")]
        }
    for language in LANGUAGES:
        figures = ", ".join(f"{name} {rate[language]:.1%}" for name, rate in rates.items())
        print(f"{language}: {figures}")
    means = {name: float(np.mean(list(rate.values()))) for name, rate in rates.items()}
    print("mean:", ", ".join(f"{name} {rate:.1%}" for name, rate in means.items()))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Word error rate of the starter voice.")
    parser.add_argument("--voice", type=Path, default=STARTER / "tts" / "starter.onnx")
    parser.add_argument("--stt", default=str(STARTER / "stt"))
    parser.add_argument("--sentences", type=int, default=30, help="of each language")
    return parser.parse_args()


async def _word_error_rates(
    tts: Batcher[SpeechRequest, SpeechChunk],
    stt: Batcher[SttRequest, Transcript],
    texts: list[Text],
    voice: str,
) -> Mapping[str, float]:
    """By language."""
    said: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    heard: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for text in texts:
        transcript = await stt.run(await _listen(tts, text, voice))
        said[text.language].append(_normalise(text.text))
        heard[text.language].append(_normalise(transcript.text) or _NOTHING_HEARD)
    return {language: jiwer.wer(said[language], heard[language]) for language in LANGUAGES}


async def _listen(tts: Batcher[SpeechRequest, SpeechChunk], text: Text, voice: str) -> SttRequest:
    async with tts.submit(SpeechRequest(text.text, text.language, voice)) as job:
        chunks = [chunk async for chunk in job]
    audio = np.concatenate([chunk.samples for chunk in chunks]).astype(np.float32) / 32768
    samples = soxr.resample(audio, chunks[0].rate_hz, _STT_RATE_HZ)
    return SttRequest(samples, LANGUAGES, text.language)


def _normalise(text: str) -> str:
    """Lower case without punctuation; accents and vowel signs stay."""
    kept = (
        character if unicodedata.category(character)[0] in "LMN" else " "
        for character in unicodedata.normalize("NFC", text.lower())
    )
    return " ".join("".join(kept).split())


if __name__ == "__main__":
    asyncio.run(main())
