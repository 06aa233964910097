"""Speech to text: requests of different calls and languages in one batch.

Every step takes the next window of the most urgent job and of those that go with it, of about its
length: spectrograms, one encoding, language probabilities, one decoding, each in its own language.
So nobody has their words later for another's that take longer. A turn is one window and ends after
one step; longer audio takes a window a step, and others pass between. A window that a guard of
`engines.stt.guards` rejects is decoded again where that can help: with the full 30 s of padding, in
halves, or with some randomness.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from engines.batcher import Job, Priority
from engines.config import SttConfig
from engines.errors import EngineError
from engines.loaded import LoadedModel, megabytes_of, stopwatch
from engines.stt import guards
from engines.stt.transcription import SttRequest, Transcript, Window, Work, batches
from engines.stt.whisper import MAX_FRAMES, MAX_NEW_TOKENS, Encoded, WhisperModel
from engines.stt.windows import RATE_HZ

_CPU_BATCH = 6  # on a CPU the decoder gains from a batch; the encoder does not, and pays to pad
_GPU_BATCH = 24
_CPU_FRAMES = MAX_FRAMES  # in a batch there: of what is as long as Whisper takes, one at a time
_CPU_PARTIALS = 1  # a step takes as long as its jobs together there
_GPU_PARTIALS = 4
_PATIENCE_STEPS = 16  # that a job waits for later ones of the next higher priority
_BUCKET_FRAMES = 100
_MIN_FRAMES = 200  # no model is trained on less
_MARGIN_FRAMES = 20  # of padding, for a model trained on short windows
_STOCK_MARGIN_FRAMES = 256  # for any other: below it, decoding goes in circles
_WARM_SECONDS = 2.0

SttJob = Job[SttRequest, Transcript]


class SttEngine:
    """Implements `engines.batcher.Engine`: a job emits one `Transcript` and ends."""

    def __init__(self, config: SttConfig) -> None:
        self._config = config
        self._jobs: set[SttJob] = set()
        self._num_steps = 0
        self._model: WhisperModel
        self._short_windows = False
        self.max_batch = config.max_batch or _CPU_BATCH
        self.loaded: tuple[LoadedModel, ...] = ()

    def load(self) -> None:
        """Load and warm the model, with no network. Raises `ModelError`."""
        with stopwatch() as watch:
            self._model = WhisperModel(self._config)
            self._short_windows = self._wants_short_windows()
            self._warm()
        if not self._config.max_batch:
            self.max_batch = _CPU_BATCH if self._on_cpu else _GPU_BATCH
        path, device = self._model.path, self._model.device
        name = f"{path.name} ({self._model.compute_type})"
        self.loaded = (
            LoadedModel("stt", name, str(path), device, megabytes_of(path), watch.seconds),
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the model knows. Valid after `load`."""
        return self._model.languages

    def start(self, job: SttJob) -> bool:
        """Take a slot. Raises `EngineError` for what cannot be transcribed.

        Partial transcripts go one at a time on a CPU, a few on a GPU: what comes meanwhile waits
        for no more; on a CPU they and offline work wait while anything more urgent goes. Recordings
        never take more than half of the slots, nor does offline work.
        """
        if not self._has_room(job):
            return False
        self._check(job.request)
        self._jobs.add(job)
        job.state = Work(job.request, job.priority, self._num_steps)
        return True

    def step(self, jobs: Sequence[SttJob]) -> None:
        """Transcribe the next window of the job that is due, and of those that go with it."""
        self._num_steps += 1
        waiting = [job.state for job in jobs if not job.state.is_done]
        if waiting:
            windows = self._due_windows(waiting)
            self._transcribe(windows)
            for window in windows:
                window.work.ready_step = self._num_steps + 1  # after who has come meanwhile
        for job in jobs:
            if job.state.is_done:
                job.emit(job.state.transcript())
                job.finish()

    def stop(self, job: SttJob) -> None:
        """Give the slot back."""
        self._jobs.remove(job)
        job.state = None

    def assert_idle(self) -> None:
        """Raise `AssertionError` if a started job was not stopped."""
        assert not self._jobs, f"{len(self._jobs)} STT jobs were started and not stopped"

    @property
    def _on_cpu(self) -> bool:
        return self._model.device == "cpu"

    def _wants_short_windows(self) -> bool:
        if self._config.short_windows is not None:
            return self._config.short_windows
        return self._model.trained_on_short_windows

    def _warm(self) -> None:
        mel = self._model.mel(np.zeros(int(_WARM_SECONDS * RATE_HZ), np.float32))
        encoded = self._model.encode([mel], self._padded_frames(mel.shape[1]))
        self._model.language_probabilities(encoded)
        prompt = self._model.prompt(self._model.languages[0], "transcribe")
        self._model.generate(encoded, [prompt], guards.SPARE_TOKENS, temperature=0.0)

    def _check(self, request: SttRequest) -> None:
        samples, model = request.samples, self._model
        if samples.ndim != 1 or samples.dtype != np.float32 or not np.isfinite(samples).all():
            raise EngineError("Audio to transcribe must be one channel of finite float32 samples.")
        if not request.languages:
            raise EngineError("A transcription needs at least one language to choose from.")
        for language in (*request.languages, request.language or request.languages[0]):
            if language not in model.languages:
                known = ", ".join(model.languages)
                raise EngineError(
                    f"{model.path.name} does not know the language {language!r}. It knows: {known}."
                )
        if request.task == "translate" and not model.translates:
            raise EngineError(f"{model.path.name} cannot translate, only transcribe.")

    def _has_room(self, job: SttJob) -> bool:
        kind = _kind(job.priority)
        if self._on_cpu and any(_kind(other.priority) < kind for other in self._jobs):
            return False
        alike = sum(other.priority == job.priority for other in self._jobs)
        return alike < self._most_at_once(job.priority)

    def _most_at_once(self, priority: Priority) -> int:
        if priority in (Priority.CONTINUATION, Priority.OFFLINE):
            return max(1, self.max_batch // 2)
        if priority == Priority.PARTIAL:
            return _CPU_PARTIALS if self._on_cpu else _GPU_PARTIALS
        return self.max_batch

    def _due_windows(self, waiting: Sequence[Work]) -> list[Window]:
        """Of what has waited for the longest, by its urgency, and of what goes with it."""
        ordered = sorted(waiting, key=_due_step)
        kind = _kind(ordered[0].priority)
        windows = [self._next_window(work) for work in ordered if _kind(work.priority) == kind]
        together = batches(windows, pads=not self._on_cpu)  # see _CPU_BATCH
        batch = next(batch for batch in together if windows[0] in batch)
        return batch[: _CPU_FRAMES // batch[0].frames] if self._on_cpu else batch

    def _next_window(self, work: Work) -> Window:
        window = Window(work, work.window_samples())
        full = work.full_window
        window.frames = MAX_FRAMES if full else self._padded_frames(window.audio_frames)
        return window

    def _padded_frames(self, audio_frames: int) -> int:
        if not self._short_windows:
            return MAX_FRAMES
        trained = self._model.trained_on_short_windows
        frames = audio_frames + (_MARGIN_FRAMES if trained else _STOCK_MARGIN_FRAMES)
        in_buckets = -(-frames // _BUCKET_FRAMES) * _BUCKET_FRAMES
        return min(MAX_FRAMES, max(_MIN_FRAMES, in_buckets))

    def _transcribe(self, windows: Sequence[Window]) -> None:
        model = self._model
        for window in windows:
            window.frames = windows[0].frames
        encoded = model.encode([model.mel(window.samples) for window in windows], windows[0].frames)
        for window, probabilities in zip(windows, self._hear(windows, encoded), strict=True):
            window.work.weigh(window, probabilities)
        max_tokens = [self._max_tokens(window) for window in windows]
        prompts = [model.prompt(window.language, window.work.request.task) for window in windows]
        temperature = windows[0].work.temperature
        decodings = model.generate(encoded, prompts, max(max_tokens), temperature)
        wanted = []
        for row, (window, decoding) in enumerate(zip(windows, decodings, strict=True)):
            guard = window.rejection(decoding, max_tokens[row], self._config)
            if guard and self._try_again(window, guard):
                continue
            if window.work.request.word_times and not guard:
                tokens, frames = decoding.tokens, window.audio_frames
                window.work.time(model.words(encoded, row, prompts[row], tokens, frames))
            window.work.keep(window, decoding, guard)
            if not guard and window.is_translated(decoding.text):
                wanted.append(window)
        if wanted and model.translates:
            self._translate(windows, wanted, encoded)

    def _translate(
        self, windows: Sequence[Window], wanted: Sequence[Window], encoded: Encoded
    ) -> None:
        """Decode once more what is encoded already, into English this time."""
        prompts = [self._model.prompt(window.language, "translate") for window in windows]
        max_tokens = max(guards.max_tokens(window.seconds, 1.0) for window in wanted)
        decodings = self._model.generate(encoded, prompts, min(MAX_NEW_TOKENS, max_tokens), 0.0)
        for window, decoding in zip(windows, decodings, strict=True):
            loops = guards.is_loop(decoding.tokens, self._config.loop_repeats)
            if window in wanted and not loops:
                window.work.keep_translation(decoding)

    def _hear(self, windows: Sequence[Window], encoded: Encoded) -> list[Mapping[str, float]]:
        """Language probabilities, unless no window leaves a choice."""
        if all(len(window.work.request.languages) == 1 for window in windows):
            return [{} for _ in windows]
        return list(self._model.language_probabilities(encoded))

    def _max_tokens(self, window: Window) -> int:
        per_character = self._model.tokens_per_character(window.language)
        return min(MAX_NEW_TOKENS, guards.max_tokens(window.seconds, per_character))

    def _try_again(self, window: Window, guard: str) -> bool:
        padding_may_help = not self._model.trained_on_short_windows
        return window.work.try_again(window, guard, padding_may_help=padding_may_help)


def _due_step(work: Work) -> int:
    """The step by which it ought to go: who waits for more than one window waits for the rest as
    for what is less urgent."""
    is_rest = work.start > 0
    return work.ready_step + _PATIENCE_STEPS * (work.priority + is_rest)


def _kind(priority: Priority) -> int:
    """Jobs of one kind may share a step: somebody waits; nobody waits yet; offline."""
    return max(int(priority), int(Priority.CONTINUATION))
