"""The examples of the recipe: utterances up to their pause, as the server has them.

The recognizer has to hear every one, which is most of the recipe's time, so a part of the corpus is
kept in `build/prosody/` once it is made. The same seed draws the same sentences, speakers and lines
(eSpeak NG's flutter differs a little by what it said before).
"""

import asyncio
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engines.batcher import Batcher
from engines.config import REPOSITORY, SttConfig, VadConfig
from engines.stt import SttEngine, SttRequest, Transcript
from engines.vad import RATE_HZ, WINDOW_SAMPLES, VadEngine, VadRequest, VadResult, VadState
from evaluation.degradation import Samples
from scripts.train_starter.domain import LANGUAGES
from scripts.train_starter.prosody.speech import Speakers, Spoken, on_a_line
from server.conversation.endpointing import Boundary, Endpointer, EndpointingConfig
from server.conversation.prosody import features

FOLDER = REPOSITORY / "build" / "prosody"
KEPT_SECONDS = 4.0  # of the end; more than the features look at
_AT_ONCE = 6
_PADDING_SAMPLES = 6400
_FULL_SCALE = 32767


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the corpus: what names it is all that it depends on."""

    language: str
    sentences: int
    seed: int
    held_out: bool

    @property
    def path(self) -> Path:
        """Where it is kept."""
        kind = "held-out" if self.held_out else "training"
        return FOLDER / f"{kind}-{self.seed}-{self.language}-{self.sentences}.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An utterance up to its pause."""

    language: str
    kind: str  # "whole", "comma", "cut"
    voice: str
    said: str
    samples: Samples  # float32[n] at 16 kHz: the end of it, with the silence of the pause
    transcript: Transcript

    @property
    def is_complete(self) -> bool:
        """Whether the speaker had finished."""
        return self.kind == "whole"


async def examples(part: Part) -> list[Example]:
    """Those of a part: read, or made and kept. What has no voice in it is left out."""
    if not part.path.exists():
        made = await _make(part)
        FOLDER.mkdir(parents=True, exist_ok=True)
        _write(part.path, made)
    return [each for each in _read(part.path) if features(each.samples) is not None]


async def _make(part: Part) -> list[Example]:
    """Speak them and hear them; what the server takes for silence is left out."""
    rng = random.Random(f"prosody {part}")
    found: dict[int, Example] = {}
    vad: Batcher[VadRequest, VadResult] = Batcher("vad", VadEngine(VadConfig()))
    stt: Batcher[SttRequest, Transcript] = Batcher("stt", SttEngine(SttConfig()))
    speakers = Speakers(rng, held_out=part.held_out)
    spoken = enumerate(speakers.sentences(part.language, part.sentences))

    async def hear() -> None:
        for number, each in spoken:
            line = on_a_line(each.samples, random.Random(f"{part} {number}"))
            utterance = await _until_pause(vad, line)
            if utterance is not None:
                transcript = await stt.run(SttRequest(utterance, LANGUAGES))
                found[number] = _example(each, utterance, transcript)

    async with vad, stt, asyncio.TaskGroup() as tasks:
        for number in range(_AT_ONCE):
            tasks.create_task(hear(), name=f"hear {number}")
    return [found[number] for number in sorted(found)]


def _example(spoken: Spoken, utterance: Samples, transcript: Transcript) -> Example:
    end = utterance[-round(KEPT_SECONDS * RATE_HZ) :]
    return Example(spoken.language, spoken.kind, spoken.voice, spoken.text, end, transcript)


async def _until_pause(vad: Batcher[VadRequest, VadResult], samples: Samples) -> Samples | None:
    """What the server has of it at its last pause: float32[n]; None where nothing was heard."""
    endpointer = Endpointer(EndpointingConfig(end_silence_seconds=30.0))
    state: VadState | None = None
    start = end = 0
    for position in range(0, len(samples) - WINDOW_SAMPLES + 1, WINDOW_SAMPLES):
        window = samples[position : position + WINDOW_SAMPLES]
        result = await vad.run(VadRequest(window, state))
        state = result.state
        boundary = endpointer.process(result.speech_probability)
        if boundary is Boundary.STARTED:
            start = max(0, position - _PADDING_SAMPLES)
        elif boundary is Boundary.PAUSED:
            end = position + WINDOW_SAMPLES
    return samples[start:end] if end and endpointer.paused else None


# ---- files --------------------------------------------------------------------------------------


def _write(path: Path, found: Sequence[Example]) -> None:
    rows = [
        {
            "language": each.language,
            "kind": each.kind,
            "voice": each.voice,
            "said": each.said,
            "transcript": {
                name: value
                for name, value in asdict(each.transcript).items()
                if name not in ("words", "translation")  # asked for by nobody here
            },
        }
        for each in found
    ]
    sound = [np.round(each.samples * _FULL_SCALE).astype(np.int16) for each in found]
    np.savez_compressed(
        path,
        allow_pickle=False,
        rows=np.array(json.dumps(rows, ensure_ascii=False)),
        ends=np.cumsum([len(each) for each in sound]),
        sound=np.concatenate(sound),
    )


def _read(path: Path) -> Iterator[Example]:
    with np.load(path, allow_pickle=False) as arrays:
        rows: list[Mapping[str, Any]] = json.loads(str(arrays["rows"]))
        ends, sound = arrays["ends"], arrays["sound"].astype(np.float32) / _FULL_SCALE
    spans = itertools.pairwise([0, *map(int, ends)])
    for row, (start, end) in zip(rows, spans, strict=True):
        transcript = Transcript(**row["transcript"])
        facts = {name: row[name] for name in ("language", "kind", "voice", "said")}
        yield Example(**facts, samples=sound[start:end], transcript=transcript)
