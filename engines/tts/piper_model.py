"""A Piper voice's graph: phoneme ids in, audio out, in pieces where the graph can be cut.

A VITS voice is cut before its decoder, which then runs on 16 frames for an early first sound, on 32
that are done before those are heard, and on 64 at a time after that, each with 12 frames of margin:
the same audio as in one run, sooner. Any other graph runs whole.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engines.onnx_session import device_of, open_session
from engines.tts import vits_graph

log = logging.getLogger(__name__)

FIRST_FRAMES = 16
FRAMES = 64
# A frame hears 11 on each side in Piper's "medium"; 14 in "high", the last at 1e-7.
MARGIN_FRAMES = 12
WHOLE_CHUNK_SAMPLES = 64 * 256  # of a graph that was not cut: as many as 64 frames have

Audio = NDArray[np.float32]
OnEnds = Callable[[NDArray[np.int64]], None]
_DEVICE_SETTING = "tts.device"
_WARM_UP_IDS = [1, 0, *([14, 0] * 20), 2]


@dataclass(frozen=True, slots=True)
class Scales:
    """The graph's `scales` input."""

    noise: float
    length: float  # of every phoneme: 2 is half as fast
    noise_w: float  # spread of the durations


class PiperModel(Protocol):
    """Speaks the phoneme ids of one sentence."""

    device: str

    def speak(
        self, ids: Sequence[int], scales: Scales, speaker: int, on_ends: OnEnds | None = None
    ) -> Iterator[Audio]:
        """Audio as float32[n] chunks within -1..1.

        Where the graph tells how long it makes each id, `on_ends` is called before the first chunk
        with int64[ids]: the sample at which each is over.
        """


def open_model(path: Path, device: str) -> PiperModel:
    """The voice's graph, cut if it can be, and warm. What onnxruntime raises comes through."""
    try:
        graph = vits_graph.cut(path)
        if graph is not None:
            return _warm(CutModel(graph, device))
        why = "it has no VITS decoder"
    except Exception as error:  # a voice of another make may still run whole
        why = f"its decoder cannot be run alone: {error!r}"
    log.info("%s makes each sentence in one piece: %s.", path, why)
    return _warm(WholeModel(path, device))


def _warm(model: PiperModel) -> PiperModel:
    for _ in model.speak(_WARM_UP_IDS, Scales(0.667, 1.0, 0.8), 0):
        pass
    return model


class WholeModel:
    """A graph that runs in one piece for each sentence."""

    def __init__(self, path: Path, device: str) -> None:
        self._session = open_session(
            vits_graph.with_durations(path) or path, device, _DEVICE_SETTING
        )
        self._input_names = {value.name for value in self._session.get_inputs()}
        self.device = device_of(self._session)

    def speak(
        self, ids: Sequence[int], scales: Scales, speaker: int, on_ends: OnEnds | None = None
    ) -> Iterator[Audio]:
        """The audio of the sentence, all made at once, in chunks like those of a cut graph."""
        inputs = _inputs(ids, scales, speaker, self._input_names)
        audio, *durations = self._session.run(None, inputs)
        if durations and on_ends is not None:
            on_ends(_ends(durations[0], audio.size))
        for start in range(0, audio.size, WHOLE_CHUNK_SAMPLES):
            yield audio.reshape(-1)[start : start + WHOLE_CHUNK_SAMPLES]


class CutModel:
    """A VITS graph in two sessions, its decoder run on some frames at a time."""

    def __init__(self, graph: vits_graph.CutGraph, device: str) -> None:
        self._graph = graph
        self._encoder = open_session(graph.encoder, device, _DEVICE_SETTING)
        self._decoder = open_session(graph.decoder, device, _DEVICE_SETTING)
        self._input_names = {value.name for value in self._encoder.get_inputs()}
        self.device = device_of(self._decoder)

    def speak(
        self, ids: Sequence[int], scales: Scales, speaker: int, on_ends: OnEnds | None = None
    ) -> Iterator[Audio]:
        """The audio of the sentence, as it is decoded."""
        latent, *others = self._encoder.run(None, _inputs(ids, scales, speaker, self._input_names))
        fixed = {} if self._graph.speaker is None else {self._graph.speaker: others[0]}
        num_frames = latent.shape[2]
        for start, end in _spans(num_frames):
            first, last = max(start - MARGIN_FRAMES, 0), min(end + MARGIN_FRAMES, num_frames)
            audio = self._decode(latent[:, :, first:last], fixed)
            samples_per_frame = len(audio) // (last - first)
            if start == 0 and self._graph.durations is not None and on_ends is not None:
                on_ends(_ends(others[-1], num_frames * samples_per_frame))
            yield audio[(start - first) * samples_per_frame : (end - first) * samples_per_frame]

    def _decode(self, latent: Audio, fixed: Mapping[str, Audio]) -> Audio:
        (audio,) = self._decoder.run(None, {self._graph.latent: latent, **fixed})
        flat: Audio = audio.reshape(-1)
        return flat


def _spans(num_frames: int) -> Iterator[tuple[int, int]]:
    start, length = 0, FIRST_FRAMES
    while start < num_frames:
        end = min(start + length, num_frames)
        yield start, end
        start, length = end, min(2 * length, FRAMES)


def _ends(durations: NDArray[Any], num_samples: int) -> NDArray[np.int64]:
    """The sample at which each id is over, of its frames and the audio of all of them."""
    frames = np.cumsum(durations.reshape(-1).astype(np.float64))
    return np.round(frames * (num_samples / max(1.0, float(frames[-1])))).astype(np.int64)


def _inputs(
    ids: Sequence[int], scales: Scales, speaker: int, names: set[str]
) -> dict[str, NDArray[Any]]:
    """What a Piper graph takes: `sid` only where the voice has several speakers."""
    inputs: dict[str, NDArray[Any]] = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([scales.noise, scales.length, scales.noise_w], np.float32),
        "sid": np.array([speaker], np.int64),
    }
    return {name: value for name, value in inputs.items() if name in names}
