"""From a take to findings: what the recording and the events say of each act; pure."""

from collections.abc import Callable, Iterator

from evaluation.scenarios.figures import Finding
from evaluation.scenarios.take import STARTED, STOPPED, Act, ActKind, Response, Take

YIELD_SECONDS = 2.0  # an interruption that has no turn by then was missed
AFTERMATH_SECONDS = 1.0  # behind a sound, in which it may still turn out to have interrupted
ANSWER_SECONDS = 10.0  # behind a turn, in which its answer has to begin
STALE_SECONDS = 0.06  # what was on its way when the server said pause

AUDIO = "response.output_audio.delta"


def judge(take: Take) -> list[Finding]:
    """All that is to be said of a take."""
    judges: dict[ActKind, Callable[[Take, Act], Iterator[Finding]]] = {
        ActKind.TURN: _turn,
        ActKind.INTERRUPTION: _interruption,
        ActKind.SOUND: _sound,
        ActKind.PAUSE: _pause,
        ActKind.SILENCE: _silence,
    }
    findings = [finding for act in take.acts for finding in judges[act.kind](take, act)]
    return [*findings, *_records(take), *_stutters(take), *_defects(take)]


# ---- acts ---------------------------------------------------------------------------------------


def _turn(take: Take, act: Act) -> Iterator[Finding]:
    """Was it heard to its end and answered, how soon, and rightly?"""
    if act.kind is ActKind.TURN and not _has_pause(take, act):
        seconds = act.end_seconds - act.start_seconds
        cut_in = _first_within(take, STOPPED, act.start_seconds, seconds) is not None
        note = f"cut in on {act.said!r}" if cut_in else ""
        yield Finding("agent_interruption_rate", float(cut_in), take.language, note)
    response = _answer_to(take, act)
    sound_seconds = None
    if response is not None and response.audio_seconds is not None:
        sound_seconds = take.playback.first_sound_after(
            max(act.end_seconds, response.audio_seconds)
        )
    if response is None or sound_seconds is None:
        yield Finding("response_rate", 0.0, act.label, f"no answer to {act.said!r}")
        return
    yield Finding("response_rate", 1.0, act.label)
    yield Finding("response_latency_ms", 1000 * (sound_seconds - act.end_seconds), act.label)
    if act.expects:
        is_right = any(word in response.text.lower() for word in act.expects.split())
        note = "" if is_right else f"{act.said!r} was answered {response.text!r}"
        yield Finding("right_answer_rate", float(is_right), act.label, note)


def _interruption(take: Take, act: Act) -> Iterator[Finding]:
    """Did the answer pause, did the caller get the turn, and an answer?"""
    if not take.playback.is_heard_at(act.start_seconds):
        yield Finding("not_tested", 1.0, act.label)
        yield from _turn(take, act)
        return
    commit_seconds = _first_within(take, STARTED, act.start_seconds, YIELD_SECONDS)
    missed = commit_seconds is None
    note = f"{act.said!r} did not get the turn" if missed else ""
    yield Finding("missed_interruption_rate", float(missed), act.label, note)
    if commit_seconds is not None:
        yield Finding("commit_ms", 1000 * (commit_seconds - act.start_seconds), act.label)
    pause_seconds = next((t for t in take.playback.cuts if t >= act.start_seconds), None)
    if pause_seconds is not None and not _ended_by_itself(take, act.start_seconds, pause_seconds):
        yield Finding("pause_ms", 1000 * (pause_seconds - act.start_seconds), act.label)
    yield from _turn(take, act)


def _sound(take: Take, act: Act) -> Iterator[Finding]:
    """Did the answer go on?"""
    if not take.playback.is_heard_at(act.start_seconds):
        yield Finding("not_tested", 1.0, act.label)
        return
    seconds = act.end_seconds - act.start_seconds + AFTERMATH_SECONDS
    started = _first_within(take, STARTED, act.start_seconds, seconds) is not None
    playing = _playing_at(take, act.start_seconds)
    was_cut = playing is not None and playing.status != "completed"
    note = f"{act.said or act.label} took the turn" if started else ""
    if was_cut and playing is not None:
        note = f"{act.said or act.label} ended the answer: {playing.status or 'it never ended'}"
    yield Finding("false_interruption_rate", float(started or was_cut), act.label, note)
    if not (started or was_cut):
        yield Finding("held_ms", 1000 * _held_seconds(take, act, seconds), act.label)


def _pause(take: Take, act: Act) -> Iterator[Finding]:
    """Did the server wait?"""
    seconds = act.end_seconds - act.start_seconds
    stopped = _first_within(take, STOPPED, act.start_seconds, seconds)
    sound = take.playback.first_sound_after(act.start_seconds)
    heard = sound is not None and sound < act.end_seconds
    note = f"cut in after {act.said!r}" if stopped is not None or heard else ""
    yield Finding("cut_in_rate", float(bool(note)), act.label, note)


def _silence(take: Take, act: Act) -> Iterator[Finding]:
    """Was nothing heard in it?"""
    seconds = act.end_seconds - act.start_seconds
    if _first_within(take, STARTED, act.start_seconds, seconds) is not None:
        yield Finding("defects", 1.0, act.label, "a turn was made of silence")


# ---- the whole call -----------------------------------------------------------------------------


def _records(take: Take) -> Iterator[Finding]:
    """What the server's own records tell."""
    for event in take.events:
        if event.type != "tinig.turn" or not event.body["turn"].get("item_id"):
            continue
        record = event.body["turn"]
        yield Finding("draft_hit_rate", float(record["draft"] == "hit"), take.language)
        times = record["milestones_ms"]
        if "turn_confirmed" in times and "first_audio_sent" in times:
            added_ms = times["first_audio_sent"] - times["turn_confirmed"]
            yield Finding("added_latency_ms", added_ms, take.language)


def _defects(take: Take) -> Iterator[Finding]:
    """What must never be, whatever the caller does."""
    notes = [*_stale_audio(take), *_endless_answers(take)]
    notes += [
        f"the server reported: {event.body['error']['message']}"
        for event in take.events
        if event.type == "error"
    ]
    if take.failure:
        notes.append(take.failure)
    for note in notes:
        yield Finding("defects", 1.0, take.scenario, note)


def _stutters(take: Take) -> Iterator[Finding]:
    """Was each answer heard without a gap that nobody asked for?"""
    held = take.times_of("tinig.playback")
    for response in take.responses:
        if response.audio_seconds is None or response.done_seconds is None:
            continue
        gaps = take.playback.gaps(response.audio_seconds, response.done_seconds)
        bare = [gap for gap in gaps if not any(gap[0] - 0.5 <= t <= gap[1] for t in held)]
        note = f"{len(bare)} gaps in {response.text!r}" if bare else ""
        yield Finding("stutter_rate", float(bool(bare)), take.language, note)


def _stale_audio(take: Take) -> Iterator[str]:
    """Audio after its answer's end, or while the answer is held."""
    over: set[str] = set()
    held_seconds: float | None = None
    for event in take.events:
        if event.type == "response.done":
            over.add(event.body["response"]["id"])
        elif event.type == "tinig.playback":
            held_seconds = event.at_seconds if event.body["action"] == "pause" else None
        elif event.type == STARTED:
            held_seconds = None
        elif event.type == AUDIO and event.body["response_id"] in over:
            yield f"audio at {event.at_seconds:.2f} s of an answer that was over"
        elif event.type == AUDIO and _is_late(event.at_seconds, held_seconds):
            yield f"audio at {event.at_seconds:.2f} s of an answer held at {held_seconds:.2f} s"


def _is_late(at_seconds: float, held_seconds: float | None) -> bool:
    return held_seconds is not None and at_seconds - held_seconds > STALE_SECONDS


def _endless_answers(take: Take) -> Iterator[str]:
    if take.hung_up:
        return
    for response in take.responses:
        if response.done_seconds is None:
            yield f"the answer begun at {response.created_seconds:.2f} s had no end"
    if take.playback.is_paused:
        yield "an answer was held and did not go on"


# ---- looking things up --------------------------------------------------------------------------


def _first_within(take: Take, type_: str, start_seconds: float, seconds: float) -> float | None:
    """When the first event of a type came in a stretch of the call."""
    end_seconds = start_seconds + seconds
    return next((t for t in take.times_of(type_) if start_seconds <= t <= end_seconds), None)


def _has_pause(take: Take, act: Act) -> bool:
    """Whether the caller paused in these words on purpose."""
    pauses = (other for other in take.acts if other.kind is ActKind.PAUSE)
    return any(act.start_seconds <= pause.start_seconds <= act.end_seconds for pause in pauses)


def _answer_to(take: Take, act: Act) -> Response | None:
    """The first answer begun after a turn, before the next one."""
    turns = (ActKind.TURN, ActKind.INTERRUPTION)
    later = [a.start_seconds for a in take.acts if a.kind in turns and a is not act]
    next_seconds = min((t for t in later if t >= act.end_seconds), default=float("inf"))
    end_seconds = min(next_seconds, act.end_seconds + ANSWER_SECONDS)
    answers = (r for r in take.responses if act.end_seconds <= r.created_seconds < end_seconds)
    return next(answers, None)


def _playing_at(take: Take, seconds: float) -> Response | None:
    """The answer that was heard at a time: the last whose audio had come."""
    begun = [r for r in take.responses if r.audio_seconds is not None and r.audio_seconds < seconds]
    return begun[-1] if begun else None


def _ended_by_itself(take: Take, start_seconds: float, stop_seconds: float) -> bool:
    """Whether the answer that was heard then stopped because it was complete."""
    playing = _playing_at(take, start_seconds)
    if playing is None or playing.done_seconds is None or playing.status != "completed":
        return False
    return playing.done_seconds <= stop_seconds


def _held_seconds(take: Take, act: Act, seconds: float) -> float:
    """How long the answer was silent between a pause and its end, because of a sound."""
    end_seconds = act.start_seconds + seconds
    held, since = 0.0, None
    for event in take.events:
        if event.type != "tinig.playback" or event.at_seconds < act.start_seconds:
            continue
        if event.body["action"] == "pause" and event.at_seconds <= end_seconds:
            since = event.at_seconds
        elif since is not None:
            held, since = held + event.at_seconds - since, None
    return held
