"""How each language says what is written: tables in `spoken_cases/`, a line a case."""

from pathlib import Path

import pytest

from server.language.spoken import spoken

FOLDER = Path(__file__).with_name("spoken_cases")
ARROW = " => "


def cases(locale: str) -> list[tuple[str, str]]:
    lines = (FOLDER / f"{locale}.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(ARROW) for line in lines if not line.startswith("# ")]
    return [(written, said) for written, said in pairs]


@pytest.mark.parametrize("locale", ["en", "es", "es_ES", "fr", "hi", "tl"])
def test_what_is_written_is_said_as_its_speakers_say_it(locale: str) -> None:
    said = [(written, spoken(written, locale).text) for written, _ in cases(locale)]
    assert said == cases(locale)


@pytest.mark.parametrize("language", ["en", "es", "fr", "hi", "tl"])
def test_every_language_has_sixty_cases(language: str) -> None:
    assert len({written for written, _ in cases(language)}) >= 60
