"""English words inside Tagalog: English sounds, as speakers of Tagalog say them."""

import re
from functools import cache, lru_cache

from piper.phonemize_espeak import EspeakPhonemizer

_VOICE = "en-us"
# In this order; what is not named stays. Vowels are Tagalog's five, and r is a tap.
_AS_SAID = (
    ("ˌ", ""), ("ː", ""), ("ʔ", "t"), ("ɾ", "t"), ("oʊ", "o"), ("eɪ", "ej"), ("aɪ", "aj"),
    ("aʊ", "aw"), ("ɔɪ", "oj"), ("ɜɹ", "eɹ"), ("ɜ", "eɹ"), ("ɚ", "eɹ"), ("ɹ", "ɾ"), ("əl", "ol"),
    ("ə", "a"), ("ɐ", "a"), ("ʌ", "a"), ("æ", "a"), ("ɑ", "a"), ("ɔ", "o"), ("ɪ", "i"), ("ᵻ", "i"),
    ("ʊ", "u"), ("ɛ", "e"), ("θ", "t"), ("ð", "d"), ("v", "b"), ("ʒ", "ʃ"), ("ɫ", "l"),
)  # fmt: skip
_MARKS = re.compile("[\u0329\u0303ʲ]")


@lru_cache(maxsize=4096)
def english_sounds(word: str) -> str:
    """IPA of an English word with Tagalog's sounds, f and z; stress as in `tagalog.to_ipa`."""
    (sounds, *_) = [*_phonemizer().phonemize(_VOICE, word), []]
    ipa = _MARKS.sub("", "".join(sound for sound in sounds if not sound.isspace()))
    ipa = ipa.replace("dʒ", "\0")
    for english, said in _AS_SAID:
        ipa = ipa.replace(english, said)
    return ipa.replace("\0", "dʒ").strip(".,;:!?")


@cache
def _phonemizer() -> EspeakPhonemizer:
    return EspeakPhonemizer()
