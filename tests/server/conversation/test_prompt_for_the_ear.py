"""The model is told that it is heard, unless its card says that it wants no more words."""

import pytest

from engines.llm import Message
from server.config import LANGUAGES
from server.conversation.prompt import Asked, answer_request, direct_request, english_request
from server.language.prompts import Prompt, prompt


def asked(language: str, *, for_the_ear: bool) -> Asked:
    return Asked("s", language, (Message("user", "?"),), for_the_ear=for_the_ear)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_it_once_and_briefly(language: str) -> None:
    ear = prompt(Prompt.EAR, language)
    assert "heard" in ear
    assert len(ear.split()) < 40
    system = direct_request(asked(language, for_the_ear=True)).messages[0].content
    assert system == f"{prompt(Prompt.DIRECT, language)}\n{ear}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_can_ask_for_the_prompt_alone(language: str) -> None:
    system = direct_request(asked(language, for_the_ear=False)).messages[0].content
    assert system == prompt(Prompt.DIRECT, language)


def test_an_answer_by_notes_begins_as_a_direct_one_so_that_it_is_read_already() -> None:
    one = asked("tl", for_the_ear=True)
    assert answer_request(one, "notes").messages[0] == direct_request(one).messages[0]


def test_the_english_answer_of_a_pivot_is_for_the_ear_too_but_not_in_tagalog() -> None:
    system = english_request(asked("tl", for_the_ear=True), "?").messages[0].content
    assert prompt(Prompt.EAR, "en") in system
    assert "po" not in system.split()
