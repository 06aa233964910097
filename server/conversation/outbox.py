"""The only way to the client.

Every event that belongs to a turn carries that turn's epoch. The epoch is advanced here and nowhere
else, and what is older does not leave: neither what still waits nor what an engine that had already
been told to stop delivers late.

There are two lanes. What belongs to the session leaves at once. What belongs to the current turn
leaves in order and in its time: not while the turn is only a draft (the caller may go on speaking),
not while it is held (the caller may be interrupting), and its sound at the pace at which it is
heard, a little ahead, so that stopping to send is soon silence.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from server.conversation.echo import SentSound
from server.conversation.playback import Playback
from server.events import (
    AnswerAudio,
    AnswerText,
    Event,
    ResponseFinished,
    ResponseStarted,
    Transcribed,
    TranscriptionFailed,
)
from server.metrics import Milestone, TurnRecord

TIMER_SECONDS = 0.001  # no timer is worth less


class Outbox:
    """One session's outgoing events."""

    def __init__(
        self,
        on_fact: Callable[[Event], None],
        lead_seconds: float,
        *,
        reports_playback: bool = False,
    ) -> None:
        self.epoch = 0
        self.playback = Playback(is_reported=reports_playback)
        self.sent_sound = SentSound()
        self.is_draft = False  # the current turn's lane is closed until it is confirmed
        self.open_response_id: str | None = None  # the client was told that it began, not its end
        self._on_fact = on_fact  # told of what joins the conversation: the history
        self._lead_seconds = lead_seconds
        self._reports_playback = reports_playback
        self._unplayed: deque[AnswerAudio] = deque()  # sent, of a client that reports
        self._record: TurnRecord | None = None
        self._held = False
        self._closed = False
        self._session_lane: deque[Event] = deque()
        self._turn_lane: deque[Event] = deque()
        self._news = asyncio.Event()

    def advance(self, *, draft: bool = False) -> int:
        """Begin a new epoch: from now on nothing of an older one leaves."""
        self.epoch += 1
        self.playback = Playback(is_reported=self._reports_playback)
        self._unplayed.clear()
        self.is_draft = draft
        self._record = None
        self._held = False
        self._turn_lane.clear()
        return self.epoch

    def watch(self, record: TurnRecord) -> None:
        """Note in the record of the current turn when its first audio leaves."""
        self._record = record

    def confirm(self) -> None:
        """The current turn is no longer a draft: what it has prepared may leave."""
        self.is_draft = False
        waiting, self._turn_lane = self._turn_lane, deque()
        for event in waiting:
            self.put(event)

    def hold(self) -> None:
        """Nothing of the current turn leaves until `release`.

        A client that reports drops what it has not played by now: that will leave once more.
        """
        self._held = True
        if self._unplayed:
            self._take_back(asyncio.get_running_loop().time())

    def release(self) -> None:
        """The current turn goes on where it was held."""
        self._held = False
        self._news.set()

    def note_played(self, epoch: int) -> None:
        """The client has played the next audio that was sent of this epoch."""
        if epoch == self.epoch and self._unplayed:
            self.playback.report(self._unplayed.popleft().seconds)

    def unheard_seconds(self, now_seconds: float) -> float:
        """Audio of the current turn that waits, or was sent and that the caller has not heard."""
        waiting = (event.seconds for event in self._turn_lane if isinstance(event, AnswerAudio))
        return sum(waiting) + self.playback.ahead_seconds(now_seconds)

    @property
    def backlog(self) -> int:
        """Events that could leave at once, if the client took them."""
        return len(self._session_lane)

    def put(self, event: Event) -> None:
        """Send an event in its time, or drop it as stale."""
        if event.epoch is None:
            self._send_at_once(event)
        elif event.epoch != self.epoch:
            return
        elif isinstance(event, Transcribed | TranscriptionFailed) and not self.is_draft:
            self._send_at_once(event)  # about the caller: no part of the answer
        else:
            self._turn_lane.append(event)
        self._news.set()

    def close(self) -> None:
        """The session's own events that wait, then the end."""
        self._closed = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """What is to be sent, each when it is time, until `close`."""
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            if self._session_lane:
                yield self._session_lane.popleft()
            elif self._closed:
                return
            elif (wait_seconds := self._turn_waits_seconds(loop.time())) == 0.0:
                event = self._turn_lane.popleft()
                self._note(event, loop.time())
                yield event
            else:
                await self._news_within(wait_seconds)

    def _take_back(self, now_seconds: float) -> None:
        unheard_seconds = self.playback.sent_seconds - self.playback.heard_seconds(now_seconds)
        dropped_seconds = 0.0
        while self._unplayed:
            event = self._unplayed.pop()
            if dropped_seconds + event.seconds / 2 > unheard_seconds:
                break  # most of it was heard
            dropped_seconds += event.seconds
            self._turn_lane.appendleft(event)
        self._unplayed.clear()
        self.playback.take_back(dropped_seconds)

    def _send_at_once(self, event: Event) -> None:
        self._on_fact(event)
        self._session_lane.append(event)

    def _turn_waits_seconds(self, now_seconds: float) -> float | None:
        """How long until the turn's next event may leave; None: until there is news."""
        if self.is_draft or self._held or not self._turn_lane:
            return None
        if not isinstance(self._turn_lane[0], AnswerAudio | AnswerText):
            return 0.0
        wait_seconds = self.playback.ahead_seconds(now_seconds) - self._lead_seconds
        return wait_seconds if wait_seconds > TIMER_SECONDS else 0.0

    async def _news_within(self, seconds: float | None) -> None:
        if seconds is None:
            await self._news.wait()
            return
        timer = asyncio.get_running_loop().call_later(seconds, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()

    def _note(self, event: Event, now_seconds: float) -> None:
        self._on_fact(event)
        match event:
            case ResponseStarted():
                self.open_response_id = event.response_id
            case ResponseFinished():
                self.open_response_id = None
            case AnswerText():
                self.playback.begin_piece(event.text, event.spoken)
            case AnswerAudio():
                starts_seconds = now_seconds + self.playback.ahead_seconds(now_seconds)
                self.sent_sound.add(event.pcm, event.rate_hz, starts_seconds)
                self.playback.play(event.seconds, now_seconds)
                if self._reports_playback:
                    self._unplayed.append(event)
                if self._record is not None:
                    self._record.reach(Milestone.FIRST_AUDIO_SENT, now_seconds)
