"""The layouts of others: FLEURS, Common Voice, an owner's own list."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from evaluation.data import common_voice, fleurs, folder
from evaluation.data.audio import decode, wav_bytes
from evaluation.data.layout import Recording
from evaluation.data.rows import DataError, Problem, split

WAV = wav_bytes(np.arange(1600, dtype=np.int16))
TSV = (
    "7\t1001.wav\tMagandang umaga.\tmagandang umaga\tm a g\t1600\tFEMALE\n"
    "7\t1002.wav\tMagandang umaga.\tmagandang umaga\tm a g\t1600\tMALE\n"
    "8\tno sound\n"
)


def audio_of(recording: Recording) -> bytes:
    audio = recording.audio()
    assert isinstance(audio, bytes)
    return audio


def check_fleurs(results: Iterator[Recording | Problem]) -> list[Problem]:
    recordings, problems = split(results)
    first = recordings[0]
    assert (first.id, first.text, first.language) == ("tl-1001", "Magandang umaga.", "tl")
    assert (first.speaker, first.licence, first.line) == ("female", "CC BY 4.0", 1)
    assert len(decode(audio_of(first))) == 1600
    return problems


def test_fleurs_tsv_with_a_folder(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text(TSV, encoding="utf-8")
    (tmp_path / "1001.wav").write_bytes(WAV)
    problems = check_fleurs(fleurs.read_tsv(tmp_path / "test.tsv", tmp_path, "fil_ph"))
    assert [str(p) for p in problems] == [f"{tmp_path}/test.tsv:3: 2 columns, but 7 are expected"]


def test_fleurs_tsv_with_an_archive(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text(TSV, encoding="utf-8")
    archive = tmp_path / "test.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name in ("test/unknown.wav", "test/1001.wav"):
            member = tarfile.TarInfo(name)
            member.size = len(WAV)
            file.addfile(member, io.BytesIO(WAV))
    problems = check_fleurs(fleurs.read_tsv(tmp_path / "test.tsv", archive, "fil_ph"))
    assert [problem.line for problem in problems] == [3, 2]
    assert "1002 is not in" in problems[1].message
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(DataError, match="no archive"):
        list(fleurs.read_tsv(tmp_path / "test.tsv", archive, "fil_ph"))


def test_fleurs_parquet(tmp_path: Path) -> None:
    rows = [
        {"id": 7, "audio": {"bytes": WAV, "path": "1001.wav"}, "gender": 1},
        {"id": 7, "audio": {"bytes": None, "path": "1002.wav"}, "gender": 0},
    ]
    table = [{**row, "path": "/x/y.wav", "raw_transcription": "Magandang umaga."} for row in rows]
    path = tmp_path / "test.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
    problems = check_fleurs(fleurs.read_parquet(path, "fil_ph"))
    assert [str(p) for p in problems] == [f"{path}:2: 'audio' has no bytes"]
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="no parquet"):
        list(fleurs.read_parquet(path, "fil_ph"))
    with pytest.raises(DataError, match="'de_de' is none of en_us"):
        list(fleurs.read_parquet(path, "de_de"))


def test_common_voice(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "cv_1.mp3").write_bytes(WAV)
    (tmp_path / "test.tsv").write_text(
        'client_id\tpath\tsentence\nabc\tcv_1.mp3\t"Bonjour" dit-il.\nabc\tcv_2.mp3\tNon.\n',
        encoding="utf-8",
    )
    recordings, problems = split(common_voice.read(tmp_path, "fr"))
    assert [(r.id, r.text) for r in recordings] == [("fr-cv_1", '"Bonjour" dit-il.')]
    assert [problem.line for problem in problems] == [3]
    with pytest.raises(DataError, match=r"dev\.tsv does not exist"):
        list(common_voice.read(tmp_path, "fr", "dev"))


def test_an_owners_csv_says_what_is_wrong_by_line(tmp_path: Path) -> None:
    for name in ("a.wav", "c.wav", "d.wav"):
        (tmp_path / name).write_bytes(WAV)
    (tmp_path / "list.csv").write_text(
        "Audio,Text,Language\n"
        'a.wav,"Hello,\nagain",en\n'
        "a.wav,Twice,en\n"
        "b.wav,Not there,en\n"
        "c.wav,,en\n"
        "d.wav,Hallo,de\n"
        "a.wav\n",
        encoding="utf-8",
    )
    recordings, problems = split(folder.read(tmp_path / "list.csv"))
    assert [(r.text, r.line) for r in recordings] == [("Hello,\nagain", 2)]
    assert {problem.line: problem.message for problem in problems} == {
        4: "a.wav is in line 2 already",
        5: f"the audio {tmp_path / 'b.wav'} is missing",
        6: "'text' or 'transcript' or 'sentence' is missing or empty",
        7: "language 'de' is none of en, es, fr, hi, tl",
        8: "1 columns, but the header names 3",
    }


def test_an_owners_jsonl_takes_the_language_of_the_command(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    listing = tmp_path / "list.jsonl"
    listing.write_text('{"audio": "a.wav", "text": "Hola"}\n{"audio": 3}\n[1]\n', encoding="utf-8")
    recordings, problems = split(folder.read(listing, "es"))
    assert [(r.language, r.text) for r in recordings] == [("es", "Hola")]
    assert [problem.line for problem in problems] == [2, 3]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("list.txt", b"", "neither"),
        ("list.csv", b"", "is empty"),
        ("list.csv", b'audio,text\na.wav,A\nb.wav,"' + b"x\n" * 100_000, "line 3 is never closed"),
        ("list.csv", b"audio,text\n\xff\xfe", "not UTF-8"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        list(folder.read(tmp_path / name))
