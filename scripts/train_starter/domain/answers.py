"""The assistant's side: what it remembers of a conversation and what it answers.

The rules of the invented clinic stand here: it is closed on Sunday and on Saturday afternoon; an
appointment needs a day, an hour and a doctor, which the caller may give in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scripts.train_starter.domain.sentences import (
    Utterance,
    base_slot,
    capitalised,
    load,
    slot_table,
    word,
)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
AFTERNOON_HOURS = ("1", "2", "3", "4", "5")
ALL_PARTS = ("day", "hour", "service")

# Patterns that are answered like another one; `say` and the like carry the same slots.
SAME_ANSWER = {
    "hello_tinig": "hello",
    "hello_how": "how_are_you",
    "thanks_help": "thanks",
    "speak_language": "language",
    "know_language": "language",
    "capital_tell": "capital",
    "capital_know": "capital",
    "capital_and": "capital",
    "capital_polite": "capital",
    "day_after_tell": "day_after",
    "day_before_tell": "day_before",
    "say_what": "say",
    "say_please": "say",
    "name_i_am": "name_is",
}


@dataclass(frozen=True, slots=True)
class Booking:
    """The assistant calls the booking tool: ids of the day, the hour and the doctor, if wanted."""

    slots: Mapping[str, str]


@dataclass(slots=True)
class Assistant:
    """One conversation: answers utterances in turn and remembers what callers told.

    `booking_parts` are what a complete appointment needs; `books_by_tool` makes a complete one a
    `Booking` instead of an answer, to be followed by `booking_result`.
    """

    booking_parts: Sequence[str] = ALL_PARTS
    books_by_tool: bool = False
    name: str = ""
    last_answer: str = ""
    wanted: dict[str, str] = field(default_factory=dict)
    booked: dict[str, str] = field(default_factory=dict)

    def answer(self, heard: Utterance, language: str) -> str | Booking:
        """What to say in `language` to `heard`, or the tool call to make."""
        self.name = heard.slots.get("name", self.name)
        reply = self._reply(heard, language)
        if isinstance(reply, str):
            self.last_answer = reply
        return reply

    def booking_result(self, language: str, *, accepted: bool) -> str:
        """What to say to the result of the booking tool."""
        if accepted:
            self.last_answer = self._confirm(language)
        else:
            self.last_answer = say(language, "not_free", self.wanted)
            del self.wanted["hour"]
        return self.last_answer

    def _reply(self, heard: Utterance, language: str) -> str | Booking:
        if heard.intent == "booking":
            return self._book(heard, language)
        if heard.intent == "appointment":
            return self._appointment(heard, language)
        if heard.pattern_id in ("repeat", "not_understood"):
            return self.last_answer or say(language, "nothing_said")
        if heard.pattern_id in ("name_what", "name_know"):
            known = {"name": self.name} if self.name else {}
            return say(language, "name_known" if known else "name_unknown", known)
        answer_id = SAME_ANSWER.get(heard.pattern_id, heard.pattern_id)
        return say(language, answer_id, heard.slots)

    def _book(self, heard: Utterance, language: str) -> str | Booking:
        self.wanted |= {part: heard.slots[part] for part in ALL_PARTS if part in heard.slots}
        if heard.pattern_id == "book_today" and "day" not in self.wanted:
            return say(language, "which_today")
        reply = self._next_step(language)
        if "name" in heard.slots and isinstance(reply, str):
            return f"{say(language, 'name_thanks', heard.slots)} {reply}"
        return reply

    def _next_step(self, language: str) -> str | Booking:
        problem = closed(self.wanted)
        if problem:
            said = say(language, problem, self.wanted)
            del self.wanted["day" if problem == "closed_sunday" else "hour"]
            return said
        for part in ("day", "hour", "service"):
            if part in self.booking_parts and part not in self.wanted:
                return say(language, f"ask_{part}", self.wanted)
        return Booking(dict(self.wanted)) if self.books_by_tool else self._confirm(language)

    def _confirm(self, language: str) -> str:
        self.booked, self.wanted = self.wanted, {}
        return say(language, "booked" if "service" in self.booked else "booked_time", self.booked)

    def _appointment(self, heard: Utterance, language: str) -> str:
        if heard.pattern_id == "when_mine":
            return say(language, "booked_time" if self.booked else "no_appointment", self.booked)
        if heard.pattern_id == "move":
            return self._move(heard, language)
        self.booked, self.wanted = {}, {}
        return say(language, heard.pattern_id, heard.slots)

    def _move(self, heard: Utterance, language: str) -> str:
        problem = closed(heard.slots)
        if problem:
            return say(language, problem, heard.slots)
        self.booked |= heard.slots
        return say(language, "moved", heard.slots)


def closed(slots: Mapping[str, str]) -> str:
    """The id of the answer that says why the clinic is closed then, or nothing if it is open."""
    if slots.get("day") == "sunday":
        return "closed_sunday"
    if slots.get("day") == "saturday" and slots.get("hour") in AFTERNOON_HOURS:
        return "closed_afternoon"
    return ""


def say(language: str, answer_id: str, slots: Mapping[str, str] | None = None) -> str:
    """The answer `answer_id` in `language`; one for a slot's very value goes before the general."""
    given = slots or {}
    answers: Mapping[str, str] = load(language)["answers"]
    special = (f"{answer_id}_{value}" for value in given.values())
    template = next((answers[key] for key in special if key in answers), answers[answer_id])
    return capitalised(template.format(**_words(language, given)))


def _words(language: str, slots: Mapping[str, str]) -> dict[str, str]:
    """Every form of every slot, and what follows from them: capitals, prices, days, phrases."""
    forms = load(language)["slots"] | load(language)["words"]
    words = {
        form: forms[form].get(slots[base_slot(form)], slots[base_slot(form)])
        for form in forms
        if base_slot(form) in slots
    }
    if "day" in slots:
        position = DAYS.index(slots["day"])
        words["day_next"] = word(language, "day", DAYS[(position + 1) % 7])
        words["day_previous"] = word(language, "day", DAYS[position - 1])
    if "phrase" in slots:
        words["phrase_translated"] = slot_table(slots["language"], "phrase")[slots["phrase"]]
    return words
