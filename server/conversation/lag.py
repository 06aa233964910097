"""How late a caller's audio is heard.

Past what the machine can carry, audio waits in the buffers of the network, in front of the VAD,
where no time of arrival is noted. But it comes at the pace at which it is spoken: what was heard
late makes what comes next wait for as much, less its own length, or less the time in which nothing
was there to be heard, where that was longer.

That wait is also how a machine at its limit shows first, and work that may be in vain gives way
then: while a caller is heard in time, their turn is drafted after a shorter pause
(`endpointing.py`), and they are written down while they speak (`attention.py`).
"""


class HearingLag:
    """Of one caller. Times are of the loop's clock."""

    def __init__(self) -> None:
        self.seconds = 0.0  # from the arrival of what was heard last to the VAD's word on it
        self.is_in_time = True  # what is heard now did not wait for what came before it
        self._arrived_seconds = 0.0
        self._ended_seconds = 0.0  # when something was heard last

    def begin(self, audio_seconds: float, now_seconds: float) -> float:
        """The next audio, of this length, begins to be heard: when it came."""
        idle_seconds = now_seconds - self._ended_seconds
        waited_seconds = max(0.0, self.seconds - max(audio_seconds, idle_seconds))
        self.is_in_time = waited_seconds == 0.0
        self._arrived_seconds = now_seconds - waited_seconds
        return self._arrived_seconds

    def end(self, now_seconds: float) -> None:
        """It, or a part of it, was heard."""
        self.seconds = now_seconds - self._arrived_seconds
        self._ended_seconds = now_seconds
