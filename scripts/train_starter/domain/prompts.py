"""System prompts and tools of the training dialogues."""

import functools
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGE_NAMES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "tl": "Tagalog",
}
SERVER_PROMPT = (
    "You are Tinig, a voice assistant on the phone. "
    "Answer in {language} in one or two short sentences."
)

DAY_ARGUMENTS = {
    "monday": "Monday",
    "tuesday": "Tuesday",
    "wednesday": "Wednesday",
    "thursday": "Thursday",
    "friday": "Friday",
    "saturday": "Saturday",
    "sunday": "Sunday",
}
SERVICE_ARGUMENTS = {
    "dentist": "dentist",
    "eyes": "eye doctor",
    "children": "children's doctor",
    "heart": "heart doctor",
}
_PARAMETER_NAMES = {
    "day": ["day", "day", "day", "date", "weekday"],
    "hour": ["hour", "hour", "hour", "time"],
    "service": ["service", "service", "service", "doctor", "department"],
}
_BOOKING_NAMES = ["book_appointment"] * 5 + ["make_appointment", "schedule_appointment", "book"]
_OTHER_TOOLS = {
    "get_weather": ["city"],
    "transfer_call": ["department"],
    "end_call": [],
    "send_message": ["to", "text"],
    "look_up_customer": ["phone_number"],
}
_ACCEPTED = [
    '{"status": "confirmed"}',
    '{"status": "booked"}',
    '{"ok": true}',
    '{"booked": true}',
    '{"success": true}',
    '{"result": "ok"}',
    '{"confirmed": true}',
    "confirmed",
    "booked",
    "ok",
]
_REFUSED = [
    '{"status": "full"}',
    '{"status": "unavailable"}',
    '{"ok": false}',
    '{"booked": false}',
    '{"success": false}',
    '{"error": "not available"}',
    '{"confirmed": false}',
    "not available",
    "full",
    "error",
]


@functools.cache
def lists() -> dict[str, Any]:
    """The word lists of `prompts.toml`."""
    path = Path(__file__).parent / "prompts.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class BookingTool:
    """A booking tool as a client may offer it.

    `parameters` maps day, hour and (mostly) service to the client's own names for them.
    """

    name: str
    parameters: Mapping[str, str]
    hour_as_number: bool

    def definition(self) -> dict[str, Any]:
        """The tool in the form of OpenAI's chat API."""
        types = {"hour": "integer" if self.hour_as_number else "string"}
        names = {name: types.get(part, "string") for part, name in self.parameters.items()}
        return tool_definition(self.name, names)

    def arguments(self, slots: Mapping[str, str]) -> dict[str, str | int]:
        """The arguments of a call: an English day and doctor, an hour of 24 (13 or "13:00")."""
        hour = hour_of_day(slots["hour"])
        values: dict[str, str | int] = {
            "day": DAY_ARGUMENTS[slots["day"]],
            "hour": hour if self.hour_as_number else f"{hour}:00",
        }
        if "service" in self.parameters:
            values["service"] = SERVICE_ARGUMENTS[slots["service"]]
        return {self.parameters[part]: value for part, value in values.items()}


def hour_of_day(hour_id: str) -> int:
    """The hour out of 24 that a caller of the clinic means: one to five are in the afternoon."""
    hour = int(hour_id)
    return hour + 12 if hour < 8 else hour


def tool_definition(name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """A function tool with parameters of the given JSON types."""
    properties = {parameter: {"type": kind} for parameter, kind in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


STANDARD_TOOL = BookingTool(
    "book_appointment", {"day": "day", "hour": "hour", "service": "service"}, hour_as_number=True
)


def random_booking_tool(rng: random.Random) -> BookingTool:
    """The standard tool or one with other names, sometimes without a doctor."""
    if rng.random() < 0.5:
        return STANDARD_TOOL
    parts = ["day", "hour"] if rng.random() < 0.3 else ["day", "hour", "service"]
    names = {part: rng.choice(_PARAMETER_NAMES[part]) for part in parts}
    return BookingTool(rng.choice(_BOOKING_NAMES), names, rng.random() < 0.7)


def random_other_tools(rng: random.Random) -> list[dict[str, Any]]:
    """None to two tools that have nothing to do with the domain."""
    names = rng.sample(list(_OTHER_TOOLS), rng.choice([0, 0, 0, 1, 2]))
    return [tool_definition(name, dict.fromkeys(_OTHER_TOOLS[name], "string")) for name in names]


def random_tool_result(rng: random.Random, *, accepted: bool) -> str:
    """What a client's booking tool may return."""
    return rng.choice(_ACCEPTED if accepted else _REFUSED)


def server_prompt(language: str) -> str:
    """The system prompt that the server itself sends for an answer in `language`."""
    return SERVER_PROMPT.format(language=LANGUAGE_NAMES[language])


def random_prompt(language: str, rng: random.Random) -> tuple[str, bool]:
    """A system prompt, perhaps empty, and whether it names the language of the answers."""
    kind = rng.choices(["server", "naming", "without", "none"], [72, 8, 12, 8])[0]
    if kind == "none":
        return "", False
    if kind == "server":
        prompt = server_prompt(language)
    elif kind == "naming":
        template = rng.choice(lists()["naming_language"])
        prompt = template.format(language=LANGUAGE_NAMES[language])
    else:
        prompt = rng.choice(lists()["without_language"])
    if rng.random() < 0.3:
        chosen = rng.sample(lists()["instructions"], rng.choice([1, 1, 2, 3, 5]))
        prompt += "\n" + " ".join(chosen)
    return prompt, kind != "without"


def random_name(language: str, rng: random.Random) -> str:
    """A caller's name that is not one of the domain's, in the language's script.

    Half of them are made up of syllables: what cannot be known by heart must be copied.
    """
    script = "devanagari" if language == "hi" else "latin"
    names: Mapping[str, list[str]] = lists()["names"]
    if rng.random() < 0.5:
        return rng.choice(names[script])
    made = "".join(rng.choices(names[f"syllables_{script}"], k=rng.choice([2, 2, 3])))
    return made.capitalize()
