"""The vocabulary of the scenarios: what a caller can do, step by step.

Every step that is to be judged leaves an act. Steps take the time that they take a person; whatever
the server does meanwhile is recorded, and no step but waiting for an answer can fail.
"""

import asyncio
import random
from dataclasses import dataclass, field

import numpy as np

from evaluation.caller import RATE_HZ, Caller, CallFailed, Spoken
from evaluation.recording import Pcm, voiced_span
from evaluation.scenarios import sounds
from evaluation.scenarios.take import STARTED, STOPPED, Act, ActKind, responses_of
from evaluation.scenarios.words import Question, Words
from evaluation.speech import Voice, synthesize

# Of eSpeak NG's voices, among them two that the starter recognizer has not heard ("+m8", "+Andy").
VARIANTS = ("", "+f2", "+f3", "+f4", "+m1", "+m3", "+m7", "+m8", "+Andy")
ANSWER_SECONDS = 12.0  # an answer that has not begun by then is not waited for
SETTLE_SECONDS = 25.0  # all answers are over by then, or are not waited for
UNANSWERED_SECONDS = 5.0  # words that nothing has answered by then will not be answered
_POLL_SECONDS = 0.1


def random_voice(rng: random.Random) -> Voice:
    """A caller as the seed has them: who, how fast, how high, how loud."""
    return Voice(
        rng.choice(VARIANTS), rng.randint(150, 195), rng.randint(30, 70), rng.uniform(0.25, 0.7)
    )


@dataclass(slots=True)
class Scene:
    """One caller in one call, and what they have done so far."""

    caller: Caller
    words: Words
    rng: random.Random
    voice: Voice
    acts: list[Act] = field(default_factory=list)
    hung_up: bool = False
    _speeches: dict[str, Pcm] = field(default_factory=dict)

    # ---- words ----------------------------------------------------------------------------------

    async def ask(self, question: str | Question, label: str = "") -> None:
        """Say something, and wait until the answer to it is heard."""
        said, expects = (question, "") if isinstance(question, str) else question
        spoken = await self._say(said)
        self._act(ActKind.TURN, label, spoken, said, expects)
        await self.hear_the_answer_begin()

    async def ask_with_pause(self, halves: tuple[str, str], seconds: float, label: str) -> None:
        """Say a sentence with a pause in it, and do not wait for the answer to it."""
        first, second = [await self._speech(half) for half in (f"{halves[0]},", halves[1])]
        begun = self.caller.speak(first, after_seconds=0.5)
        trimmed = second[(voiced_span(second) or (0, 0))[0] :]
        ended = self.caller.speak(trimmed, after_seconds=seconds)
        await self.caller.sleep_until(ended.end_seconds)
        pause = Spoken(begun.end_seconds, ended.end_seconds)
        self._act(ActKind.PAUSE, label, pause, halves[0])
        whole = Spoken(begun.start_seconds, ended.end_seconds)
        self._act(ActKind.TURN, label, whole, " ".join(halves))

    async def interrupt(self, said: str, label: str, expects: str = "") -> None:
        """Talk over the answer."""
        spoken = await self._say(said, after_seconds=0.0)
        self._act(ActKind.INTERRUPTION, label, spoken, said, expects)

    async def murmur(self, said: str, label: str) -> None:
        """Say over the answer what wants nothing."""
        spoken = await self._say(said, after_seconds=0.0)
        self._act(ActKind.SOUND, label, spoken, said)

    async def _say(self, said: str, after_seconds: float = 0.5) -> Spoken:
        speech = await self._speech(said)
        spoken = self.caller.speak(speech, after_seconds=after_seconds)
        await self.caller.sleep_until(spoken.end_seconds)
        return spoken

    async def prepare(self, said: str) -> None:
        """Have it ready to be said at once."""
        await self._speech(said)

    async def _speech(self, said: str) -> Pcm:
        if said not in self._speeches:
            self._speeches[said] = await asyncio.to_thread(
                synthesize, said, self.words.language, RATE_HZ, self.voice
            )
        return self._speeches[said]

    # ---- sounds ---------------------------------------------------------------------------------

    async def make_sound(self, name: str, level_db: float) -> None:
        """Cough, shut a door, type, play music: by the name of the sound."""
        made = sounds.SOUNDS[name](self.generator(), RATE_HZ)
        spoken = self.caller.speak(sounds.at_level(made, level_db))
        await self.caller.sleep_until(spoken.end_seconds)
        self._act(ActKind.SOUND, name, spoken)

    def be_in_a_room(self, level_db: float) -> None:
        """From now on there is the noise of a room."""
        room = sounds.room(self.generator(), level_db, RATE_HZ)
        self.caller.microphone.backgrounds.append(room)

    def echo(self, level_db: float, delay_seconds: float) -> None:
        """From now on the microphone hears the loudspeaker."""
        heard = sounds.echo(self.caller.playback, level_db, delay_seconds)
        self.caller.microphone.backgrounds.append(heard)

    def generator(self) -> np.random.Generator:
        """For noise, from the seed of the scene."""
        return np.random.default_rng(self.rng.getrandbits(32))

    # ---- listening ------------------------------------------------------------------------------

    async def hear_the_answer_begin(self) -> None:
        """Wait for the first sound of the answer to the last turn. Raises `CallFailed`."""
        since_seconds = self.acts[-1].end_seconds
        deadline_seconds = since_seconds + ANSWER_SECONDS
        while True:
            sound_seconds = self._first_sound(since_seconds)
            if sound_seconds is not None:
                await self.caller.sleep_until(sound_seconds)
                return
            if self.caller.now_seconds > deadline_seconds:
                raise CallFailed(f"no answer to {self.acts[-1].said!r}")
            await self.caller.rest(_POLL_SECONDS / 2)

    def _first_sound(self, since_seconds: float) -> float | None:
        begun = [
            response.audio_seconds
            for response in responses_of(self.caller.events)
            if response.created_seconds >= since_seconds and response.audio_seconds is not None
        ]
        return self.caller.playback.first_sound_after(begun[0]) if begun else None

    async def listen(self, seconds: float) -> None:
        """Let the answer go on for so long."""
        await self.caller.rest(seconds)

    async def hear_out(self) -> float:
        """Listen until nobody speaks or is about to. Returns how long something was heard."""
        begun_seconds = self.caller.now_seconds
        deadline_seconds = begun_seconds + SETTLE_SECONDS
        while not self._is_quiet() and self.caller.now_seconds < deadline_seconds:
            await self.caller.rest(_POLL_SECONDS)
        return self.caller.playback.end_seconds - begun_seconds

    async def hear_out_as_echo(self, label: str) -> None:
        """Listen to the answer while the microphone hears it too."""
        begun_seconds = self.caller.now_seconds
        await self.hear_out()
        end_seconds = min(self.caller.playback.end_seconds, self.caller.now_seconds)
        self._act(ActKind.SOUND, label, Spoken(begun_seconds, end_seconds))
        await self.caller.rest(1.5)

    def _is_quiet(self) -> bool:
        caller = self.caller
        if caller.playback.is_paused or caller.playback.end_seconds > caller.now_seconds:
            return False
        types = [event.type for event in caller.events]
        if types.count("response.created") > types.count("response.done"):
            return False
        if types.count(STARTED) > types.count(STOPPED):
            return False
        asked_seconds = self._last_turn_seconds()
        is_answered = any(r.created_seconds >= asked_seconds for r in responses_of(caller.events))
        return is_answered or caller.now_seconds > asked_seconds + UNANSWERED_SECONDS

    def _last_turn_seconds(self) -> float:
        """When the last words ended that may be answered, in our opinion or in the server's."""
        turns = (ActKind.TURN, ActKind.INTERRUPTION)
        said = [act.end_seconds for act in self.acts if act.kind in turns]
        heard = [event.at_seconds for event in self.caller.events if event.type == STOPPED]
        return max([*said, *heard], default=-UNANSWERED_SECONDS)

    # ---- the line -------------------------------------------------------------------------------

    async def be_greeted(self) -> None:
        """Have the server speak first, and wait until it is heard."""
        content = [{"type": "input_text", "text": self.words.greeting}]
        item = {"type": "message", "role": "user", "content": content}
        await self.caller.send({"type": "conversation.item.create", "item": item})
        await self.caller.send({"type": "response.create"})
        now_seconds = self.caller.now_seconds
        greeting = Spoken(now_seconds, now_seconds)
        self._act(ActKind.TURN, "greeting", greeting, self.words.greeting)
        await self.hear_the_answer_begin()

    async def be_silent(self, seconds: float, pace: float) -> None:
        """Say nothing for `seconds` of audio, sent `pace` times as fast as it is spoken."""
        begun_seconds = self.caller.now_seconds
        self.caller.pace = pace
        await self.caller.rest(seconds / pace)
        self.caller.pace = 1.0
        silence = Spoken(begun_seconds, self.caller.now_seconds)
        self._act(ActKind.SILENCE, "", silence)

    async def begin_to_say(self, said: str) -> None:
        """Say something, and do not wait for the end of it."""
        self.caller.speak(await self._speech(said), after_seconds=0.1)

    async def wait_for_state(self, state: str) -> None:
        """Wait until the server is in a state. Raises `CallFailed`."""
        since_seconds = self.caller.now_seconds

        def is_there() -> bool:
            states = self.caller.received("tinig.state", since_seconds)
            return any(event["state"] == state for event in states)

        if not await self.caller.wait_for(is_there, since_seconds + ANSWER_SECONDS):
            raise CallFailed(f"the server did not come to be {state}")

    def hang_up(self) -> None:
        """Leave, now and then without a word; nothing more can be done."""
        self.hung_up = True
        if self.rng.random() < 0.5:
            self.caller.hang_up_abruptly()

    def _act(
        self, kind: ActKind, label: str, span: Spoken, said: str = "", expects: str = ""
    ) -> None:
        act = Act(kind, label, span.start_seconds, span.end_seconds, said, expects)
        self.acts.append(act)
