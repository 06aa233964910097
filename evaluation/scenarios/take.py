"""What came of one call: what the caller did, and what they heard and were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from evaluation.caller import Received
from evaluation.recording import Playback

STARTED = "input_audio_buffer.speech_started"
STOPPED = "input_audio_buffer.speech_stopped"


class ActKind(StrEnum):
    """What the caller did, and so what is expected of the server."""

    TURN = "turn"  # words that are to be answered
    INTERRUPTION = "interruption"  # words over an answer: it is to stop
    SOUND = "sound"  # over an answer: it is to go on
    PAUSE = "pause"  # in a sentence: it is to wait
    SILENCE = "silence"  # for long: nothing is to be heard in it


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the caller did, in seconds of the call: first and last sample not silent.

    A pause ends where the sentence does that it stands in.
    """

    kind: ActKind
    label: str  # what sort of it: "cough", "700 ms", "early"
    start_seconds: float
    end_seconds: float
    said: str = ""
    expects: str = ""  # words, one of which the right answer has; "": any answer will do


@dataclass(frozen=True, slots=True)
class Response:
    """One answer of the server, as the caller was told of it."""

    id: str
    created_seconds: float
    done_seconds: float | None = None
    status: str = ""  # completed, cancelled, failed, incomplete; "" while it goes on
    audio_seconds: float | None = None  # when its first audio came
    text: str = ""


@dataclass(frozen=True)
class Take:
    """One call of a scenario, from what the caller recorded."""

    scenario: str
    language: str
    seed: int
    acts: Sequence[Act]
    events: Sequence[Received]
    playback: Playback
    failure: str = ""  # why the scenario could not be played to its end
    hung_up: bool = False  # the caller left in the midst of it

    @property
    def name(self) -> str:
        """Unique among the takes of a run; fit for a file."""
        return f"{self.scenario}-{self.language}-{self.seed}".replace(" ", "-")

    @cached_property
    def responses(self) -> list[Response]:
        """The answers in order."""
        return responses_of(self.events)

    def times_of(self, type_: str) -> list[float]:
        """When events of one type came."""
        return [event.at_seconds for event in self.events if event.type == type_]


def responses_of(events: Sequence[Received]) -> list[Response]:
    """The answers that these events tell of, in order."""
    ids = [event.body["response"]["id"] for event in events if event.type == "response.created"]
    return [_response(id_, events) for id_ in ids]


def _response(id_: str, events: Sequence[Received]) -> Response:
    own = [event for event in events if _response_id(event) == id_]
    done = [event for event in own if event.type == "response.done"]
    audio = [event.at_seconds for event in own if event.type == "response.output_audio.delta"]
    text = [
        event.body["delta"]
        for event in own
        if event.type == "response.output_audio_transcript.delta"
    ]
    return Response(
        id_,
        created_seconds=own[0].at_seconds,
        done_seconds=done[0].at_seconds if done else None,
        status=done[0].body["response"]["status"] if done else "",
        audio_seconds=min(audio, default=None),
        text="".join(text),
    )


def _response_id(event: Received) -> str:
    if event.type in ("response.created", "response.done"):
        return str(event.body["response"]["id"])
    return str(event.body.get("response_id", ""))
