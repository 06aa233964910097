"""The phoneme symbols of a text, as `engines.tts.piper` makes them when the voice is used."""

import unicodedata
from functools import cache

from piper import PiperVoice
from piper.config import PhonemeType, PiperConfig
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from engines.tts import tagalog
from engines.tts.espeak import VOICES


def phoneme_symbols(text: str, language: str) -> list[str]:
    """One sentence's symbols, all of them in Piper's own map of ids."""
    if language == "tl":
        found = list(unicodedata.normalize("NFD", tagalog.to_ipa(text)))
    else:
        sentences = _phonemizer(language).phonemize(text)
        found = [symbol for sentence in sentences for symbol in sentence]
    return [symbol for symbol in found if symbol in DEFAULT_PHONEME_ID_MAP]


@cache
def _phonemizer(language: str) -> PiperVoice:
    """Through `PiperVoice`, which initialises Piper's eSpeak NG once for the process.

    A second initialisation, by an `EspeakPhonemizer` of one's own, frees tables that the library
    goes on using: it crashes some sentences later.
    """
    config = PiperConfig(
        num_symbols=len(DEFAULT_PHONEME_ID_MAP),
        num_speakers=1,
        sample_rate=22050,
        espeak_voice=VOICES[language],
        phoneme_id_map=DEFAULT_PHONEME_ID_MAP,
        phoneme_type=PhonemeType.ESPEAK,
    )
    return PiperVoice(session=None, config=config)
