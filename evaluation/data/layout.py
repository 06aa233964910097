"""The plain layout of a set of recordings: a folder that any tool can read.

    NAME/manifest.jsonl   an object a line: id, audio, text, language, speaker, seconds, sha256,
                          licence; sets made here add word_ends_seconds
    NAME/audio/ID.wav     16 kHz, mono, 16 bit

`audio` is relative to the folder, `sha256` is that of the WAV file, `text` is as people write it,
`language` one of en, es, fr, hi, tl; both are empty for a recording in which nobody speaks.
A set that was cut off while it was written is taken up again: what is in the manifest is whole.
A recording that comes again with another text corrects its line.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.data.audio import RATE_HZ, Samples, decode, read_wav, wav_bytes
from evaluation.data.rows import Problem, Row, RowError, jsonl_rows, parse, split, text_of
from server.audio import int16_from_samples

MANIFEST = "manifest.jsonl"
LANGUAGES = ("en", "es", "fr", "hi", "tl")
DATASETS = Path(__file__).resolve().parent.parent.parent / "datasets"  # where downloads lie


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of a set, as its manifest has it."""

    id: str  # unique in the set; letters, digits, "-", "_" and "."
    audio: str  # relative to the set's folder
    text: str
    language: str
    speaker: str
    seconds: float
    sha256: str  # of the WAV file
    licence: str
    word_ends_seconds: tuple[float, ...] = ()  # of the words between white space, where known


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of recordings that was read."""

    folder: Path
    clips: tuple[Clip, ...]

    @property
    def name(self) -> str:
        """Of the folder."""
        return self.folder.name

    def samples(self, clip: Clip) -> Samples:
        """float32[n] at 16 kHz. Raises `RowError` if the file is not the one of the manifest."""
        path = self.folder / clip.audio
        if not path.is_file():
            raise RowError(f"{path} is missing: fetch the set again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != clip.sha256:
            raise RowError(f"{path} is not the file of the manifest (SHA-256): fetch the set again")
        return read_wav(path)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording on its way into a set, from wherever it comes."""

    id: str
    text: str
    language: str
    speaker: str
    licence: str
    audio: Callable[[], bytes | Samples]  # a file of any format, or float32[n] at 16 kHz
    file: Path  # where it is told of, for what is wrong with it
    line: int
    word_ends_seconds: tuple[float, ...] = ()


class Writer:
    """Adds recordings to a set, one by one; of those that it has already it takes the text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        self._manifest = folder / MANIFEST
        self._manifest.touch()
        _drop_half_a_line(self._manifest)
        self._clips = {clip.id: clip for clip in read_dataset(folder)[0].clips}
        self._corrected: dict[str, Clip] = {}

    def has(self, clip_id: str) -> bool:
        """Whether the set has a recording of this id."""
        return clip_id in self._clips

    def add(self, recording: Recording) -> None:
        """Write the WAV, then its line; of one that is there, remember what `close` corrects.

        Raises `RowError` for audio that is none, and for another recording of the same id.
        """
        clip_id = _checked_id(recording.id)
        audio = recording.audio()
        samples = decode(audio) if isinstance(audio, bytes) else audio
        data = wav_bytes(int16_from_samples(samples))
        clip = Clip(
            id=clip_id,
            audio=f"audio/{clip_id}.wav",
            text=recording.text,
            language=recording.language,
            speaker=recording.speaker,
            seconds=round(len(samples) / RATE_HZ, 3),
            sha256=hashlib.sha256(data).hexdigest(),
            licence=recording.licence,
            word_ends_seconds=recording.word_ends_seconds,
        )
        if self.has(clip_id):
            self._correct(clip)
        else:
            self._append(clip, data)

    def close(self) -> None:
        """Write what was corrected; all other lines of the manifest stay as they are."""
        if not self._corrected:
            return
        with self._manifest.open(encoding="utf-8", newline="\n") as file:
            lines = [self._line(line) for line in file]
        partial = self._manifest.with_suffix(".partial")
        partial.write_text("".join(lines), encoding="utf-8", newline="\n")
        partial.replace(self._manifest)
        self._corrected.clear()

    def _append(self, clip: Clip, wav: bytes) -> None:
        (self.folder / clip.audio).write_bytes(wav)
        with self._manifest.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_without_empty(clip), ensure_ascii=False) + "\n")
        self._clips[clip.id] = clip

    def _correct(self, clip: Clip) -> None:
        known = self._clips[clip.id]
        other = ""
        if known.language != clip.language:
            other = f"in {known.language!r}, not {clip.language!r}"
        elif known.sha256 != clip.sha256:
            other = "with other audio"
        if other:
            raise RowError(
                f"{clip.id!r} is in the set already, {other}: import into another folder, rename "
                f"the file, or remove its line from {self._manifest} to have this one instead"
            )
        clip = replace(clip, audio=known.audio, seconds=known.seconds)
        if clip != known:
            self._clips[clip.id] = self._corrected[clip.id] = clip

    def _line(self, line: str) -> str:
        """A line of the manifest, corrected if it is one that has to be."""
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            return line
        clip = self._corrected.get(row.get("id", "")) if isinstance(row, dict) else None
        if clip is None:
            return line
        fields = {name: value for name, value in row.items() if name != "word_ends_seconds"}
        return json.dumps({**fields, **_without_empty(clip)}, ensure_ascii=False) + "\n"


def write_dataset(
    folder: Path, recordings: Iterable[Recording | Problem]
) -> Iterator[Recording | Problem]:
    """Add recordings one by one; yields each that the set has now, and what could not be added."""
    with closing(Writer(folder)) as writer:
        for item in recordings:
            if isinstance(item, Problem):
                yield item
                continue
            try:
                writer.add(item)
            except RowError as error:
                yield Problem(item.file, item.line, str(error))
            else:
                yield item


def read_dataset(folder: Path) -> tuple[Dataset, list[Problem]]:
    """The set in a folder, and what is wrong with lines of its manifest. Raises `DataError`."""
    manifest = folder / MANIFEST
    clips, problems = split(parse(manifest, jsonl_rows(manifest), _clip))
    return Dataset(folder, tuple(clips)), problems


def _clip(row: Row, _line: int) -> Clip:
    language = row.get("language", "")
    if language not in (*LANGUAGES, ""):
        raise RowError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
    return Clip(
        id=text_of(row, "id"),
        audio=text_of(row, "audio"),
        text=text_of(row, "text") if language else "",
        language=language,
        speaker=str(row.get("speaker", "")),
        seconds=_seconds(row),
        sha256=text_of(row, "sha256"),
        licence=str(row.get("licence", "")),
        word_ends_seconds=tuple(row.get("word_ends_seconds", ())),
    )


def _seconds(row: Row) -> float:
    try:
        return float(row["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise RowError("'seconds' is missing or no number") from error


def _checked_id(clip_id: str) -> str:
    if not clip_id or not all(letter.isalnum() or letter in "-_." for letter in clip_id):
        raise RowError(f"id {clip_id!r} has other letters than a file's name may have")
    return clip_id


def _without_empty(clip: Clip) -> dict[str, Any]:
    fields = asdict(clip)
    if not clip.word_ends_seconds:
        del fields["word_ends_seconds"]
    return fields


def _drop_half_a_line(manifest: Path) -> None:
    """A last line without an end was being written when the power went."""
    data = manifest.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        manifest.write_bytes(whole)
