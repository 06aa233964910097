"""The closed domain: parallel sentences, a clean split, answers that follow the clinic's rules."""

import json
import random
import re
import unicodedata

import pytest

from scripts.train_starter.domain import LANGUAGES, dialogue, sentences, slot_words, utterance
from scripts.train_starter.domain.answers import Assistant, Booking, closed
from scripts.train_starter.domain.decline import out_of_domain, templates, unseen_questions
from scripts.train_starter.domain.dialogues import booking_call, one_turn
from scripts.train_starter.domain.noise import transcription_noise
from scripts.train_starter.domain.prompts import STANDARD_TOOL, hour_of_day, server_prompt
from scripts.train_starter.domain.sentences import Split, Utterance, fill, load, patterns

SPLITS: tuple[Split, ...] = ("train", "test")
every_language = pytest.mark.parametrize("language", LANGUAGES)


def said(language: str, pattern_id: str, **slots: str) -> Utterance:
    return fill(language, patterns(language)[pattern_id], slots)


def all_sentences(language: str, split: Split) -> list[Utterance]:
    return [one for group in sentences(language, split).values() for one in group]


@every_language
def test_patterns_are_parallel_to_the_english_ones(language: str) -> None:
    def outline(of: str) -> dict[str, tuple[str, frozenset[str]]]:
        found = patterns(of).items()
        return {key: (pattern.intent, frozenset(pattern.slot_names)) for key, pattern in found}

    assert outline(language) == outline("en")
    assert load(language)["answers"].keys() == load("en")["answers"].keys()


@every_language
def test_slot_tables_hold_the_same_ids_in_every_form(language: str) -> None:
    for part in ("slots", "words"):
        for field, table in load(language)[part].items():
            base = field.partition("_")[0]
            assert table.keys() == load("en")["slots"][base].keys()


@every_language
def test_no_sentence_is_in_both_splits(language: str) -> None:
    train = {one.text for one in all_sentences(language, "train")}
    test = {one.text for one in all_sentences(language, "test")}
    assert not train & test
    assert len(train) > 1000
    assert 0.05 < len(test) / len(train) < 0.2


@every_language
def test_held_out_sentences_all_have_slots(language: str) -> None:
    assert all(one.slots for one in all_sentences(language, "test"))


@every_language
def test_every_slot_is_filled_and_text_is_written_as_people_write(language: str) -> None:
    for split in SPLITS:
        for one in all_sentences(language, split):
            assert not re.search(r"[{}]|\s{2}", one.text)
            assert one.text == unicodedata.normalize("NFC", one.text)
            assert one.text[-1] in ".!?।"
            first_letter = next(letter for letter in one.text if letter.isalpha())
            assert not first_letter.islower()


@every_language
def test_the_vocabulary_is_small_and_every_slot_word_is_trained(language: str) -> None:
    text = " ".join(one.text for one in all_sentences(language, "train")).lower()
    words = set(re.sub(r"[.,!?¿¡।]", " ", text).split())
    assert 100 < len(words) < 260
    for filler in slot_words(language):
        assert set(filler.lower().split()) <= words


@every_language
def test_hindi_alone_is_written_in_devanagari(language: str) -> None:
    for one in all_sentences(language, "train"):
        assert ("DEVANAGARI" in unicodedata.name(one.text[0])) == (language == "hi")


@pytest.mark.parametrize("split", SPLITS)
def test_utterances_are_drawn_from_the_split_that_was_asked_for(split: Split) -> None:
    rng = random.Random(1)
    known = {one.text for one in all_sentences("fr", split)}
    assert {utterance("fr", rng, split).text for _ in range(200)} <= known


def test_the_same_seed_draws_the_same_utterances() -> None:
    first, second = random.Random(7), random.Random(7)
    drawn = [utterance("tl", first, "train") for _ in range(20)]
    assert drawn == [utterance("tl", second, "train") for _ in range(20)]


@every_language
def test_every_sentence_has_an_answer_in_every_language(language: str) -> None:
    for one in all_sentences(language, "train"):
        for answer_language in LANGUAGES:
            answer = Assistant().answer(one, answer_language)
            assert isinstance(answer, str)
            assert answer
            assert not re.search(r"[{}]", answer)


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "The capital of Japan is Tokyo."),
        ("es", "La capital de Japón es Tokio."),
        ("fr", "La capitale du Japon est Tokyo."),
        ("hi", "जापान की राजधानी टोक्यो है।"),
        ("tl", "Ang kabisera po ng Hapon ay Tokyo."),
    ],
)
def test_the_answer_is_in_the_language_asked_for(language: str, answer: str) -> None:
    assert Assistant().answer(said("en", "capital", country="japan"), language) == answer


def test_days_wrap_around_the_week() -> None:
    assert (
        Assistant().answer(said("en", "day_after", day="sunday"), "en")
        == "The day after Sunday is Monday."
    )
    assert (
        Assistant().answer(said("en", "day_before", day="monday"), "en")
        == "The day before Monday is Sunday."
    )


def test_a_name_is_remembered_and_unknown_before() -> None:
    assistant = Assistant()
    asked = said("es", "name_what")
    assert assistant.answer(asked, "es") == "Todavía no me ha dicho su nombre."
    assistant.answer(said("es", "name_is", name="priya"), "es")
    assistant.answer(said("es", "capital", country="peru"), "es")
    assert assistant.answer(asked, "es") == "Usted se llama Priya."


def test_an_appointment_is_put_together_over_several_turns() -> None:
    assistant = Assistant()
    turns = [
        (said("en", "book_service", service="dentist"), "Yes, of course. On which day?"),
        (said("en", "on_day", day="sunday"), "On Sunday the clinic is closed. On which other day?"),
        (said("en", "on_day", day="monday"), "Very well. At what time on Monday?"),
        (
            said("en", "at_hour", hour="9"),
            "Your appointment with the dentist is on Monday at nine.",
        ),
        (said("en", "when_mine"), "Your appointment is on Monday at nine."),
        (said("en", "repeat"), "Your appointment is on Monday at nine."),
        (said("en", "cancel"), "Your appointment is cancelled."),
        (
            said("en", "when_mine"),
            "You have no appointment yet. On which day would you like one?",
        ),
    ]
    for heard, answer in turns:
        assert assistant.answer(heard, "en") == answer


def test_the_clinic_is_closed_on_sunday_and_on_saturday_afternoon() -> None:
    assert closed({"day": "sunday", "hour": "9"}) == "closed_sunday"
    assert closed({"day": "saturday", "hour": "2"}) == "closed_afternoon"
    assert not closed({"day": "saturday", "hour": "11"})
    assert not closed({"day": "friday", "hour": "5"})


def test_a_complete_booking_calls_the_tool_and_a_refusal_asks_for_another_hour() -> None:
    assistant = Assistant(books_by_tool=True)
    heard = said("fr", "book_full", service="heart", day="friday", hour="2")
    slots = {"service": "heart", "day": "friday", "hour": "2"}
    assert assistant.answer(heard, "fr") == Booking(slots)
    assert "n'est pas libre" in assistant.booking_result("fr", accepted=False)
    again = assistant.answer(said("fr", "at_hour", hour="3"), "fr")
    assert again == Booking(slots | {"hour": "3"})
    assert (
        assistant.booking_result("fr", accepted=True)
        == "Votre rendez-vous avec le cardiologue est le vendredi à trois heures."
    )


def test_tool_arguments_are_english_words_and_an_hour_out_of_24() -> None:
    heard = said("hi", "book_full", service="eyes", day="tuesday", hour="3")
    _, call, result, answer = one_turn("hi", heard, STANDARD_TOOL)
    arguments = json.loads(call["tool_calls"][0]["function"]["arguments"])
    assert arguments == {"day": "Tuesday", "hour": 15, "service": "eye doctor"}
    assert result["role"] == "tool"
    assert answer["content"] == "आँखों के डॉक्टर से आपका अपॉइंटमेंट मंगलवार को तीन बजे है।"


@pytest.mark.parametrize(("hour_id", "hour"), [("8", 8), ("12", 12), ("1", 13), ("5", 17)])
def test_hours_from_one_to_five_are_in_the_afternoon(hour_id: str, hour: int) -> None:
    assert hour_of_day(hour_id) == hour


def test_two_hundred_questions_to_decline_share_no_template_with_training() -> None:
    questions = unseen_questions()
    assert len(questions) == len(set(questions)) == 200
    for language in LANGUAGES:
        asked = {text for to, text in questions if to == language}
        assert len(asked) == 40
        rng = random.Random(language)
        made = {out_of_domain(language, rng).text for _ in range(3000)}
        assert not asked & (made | templates(language))
        assert not asked & {one.text for one in all_sentences(language, "train")}


@every_language
def test_what_is_declined_is_never_a_sentence_of_the_domain(language: str) -> None:
    rng = random.Random(language)
    known = {one.text for split in SPLITS for one in all_sentences(language, split)}
    assert not known & {out_of_domain(language, rng).text for _ in range(3000)}


def test_noise_leaves_the_words_of_the_slots() -> None:
    rng = random.Random(3)
    keep = frozenset({"dentist", "monday", "nine"})
    for _ in range(200):
        noisy = transcription_noise("Book the dentist for Monday at nine.", rng, keep=keep).lower()
        assert all(word in noisy for word in keep)


def test_training_dialogues_never_hold_a_held_out_sentence() -> None:
    rng = random.Random(5)
    held_out = {one.text for to in LANGUAGES for one in all_sentences(to, "test")}
    for _ in range(400):
        said_by_callers = {m["content"] for m in dialogue(rng).messages if m["role"] == "user"}
        assert not held_out & said_by_callers


def test_test_dialogues_end_with_a_held_out_sentence() -> None:
    rng = random.Random(6)
    for _ in range(100):
        made = dialogue(rng, "test")
        assert made.messages[-1]["role"] == "assistant"
        assert made.last in all_sentences(made.last.language, "test")


def test_answers_of_the_history_in_another_language_are_not_learnt() -> None:
    rng = random.Random(8)
    prompts = {server_prompt(language): language for language in LANGUAGES}
    unlearnt = 0
    for _ in range(400):
        made = dialogue(rng)
        answers = [m for m in made.messages if m["role"] == "assistant"]
        assert len(answers) == len(made.learnt)
        assert made.learnt[-1]
        if made.messages[0]["content"] in prompts:
            unlearnt += made.learnt.count(False)
        else:
            assert made.messages[0]["role"] == "system" or all(made.learnt)
    assert unlearnt > 50


def test_a_booking_drill_calls_its_tool_unless_the_clinic_is_closed() -> None:
    rng = random.Random(4)
    called = 0
    for _ in range(100):
        made = booking_call(rng)
        assert made.last in sentences(made.last.language, "train")[made.last.pattern_id]
        calls = [m["tool_calls"][0]["function"] for m in made.messages if "tool_calls" in m]
        assert len(calls) == (0 if closed(made.last.slots) else 1)
        offered = {tool["function"]["name"]: tool["function"] for tool in made.tools}
        for call in calls:
            called += 1
            properties = offered[call["name"]]["parameters"]["properties"]
            assert json.loads(call["arguments"]).keys() == properties.keys()
    assert called > 50
