"""cuBLAS is looked for by name and in NVIDIA's own package."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from engines import cuda
from engines.errors import ModelError


def build_library(path: Path) -> None:
    """An empty shared library with its file name as soname, as NVIDIA's have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["c++", "-shared", "-x", "c++", "/dev/null", f"-Wl,-soname,{path.name}"]
    subprocess.run([*command, "-o", str(path)], check=True)


def test_a_machine_without_cublas_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_LIBRARIES", ("libtinig-none.so.12",))
    assert not cuda.load_cublas()


def test_the_package_is_found_and_its_library_then_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "libtinig-cublas-double.so.12"
    build_library(tmp_path / "nvidia" / "cublas" / "lib" / name)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(cuda, "_LIBRARIES", (name,))
    with pytest.raises(OSError, match=name):
        ctypes.CDLL(name)
    assert cuda.load_cublas()
    ctypes.CDLL(name)  # as CTranslate2 does it


@pytest.mark.parametrize(
    ("devices", "has_cublas", "lack"), [(0, True, "no CUDA device"), (1, False, "no cuBLAS 12")]
)
def test_cuda_that_cannot_be_used_is_said_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, devices: int, *, has_cublas: bool, lack: str
) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: devices)
    monkeypatch.setattr(cuda, "load_cublas", lambda: has_cublas)
    assert cuda.device_of("auto", "translate.device") == "cpu"
    with pytest.raises(ModelError, match=rf"^translate\.device is cuda, but there is {lack}"):
        cuda.device_of("cuda", "translate.device")


def test_cuda_that_can_be_used_is_taken_unless_the_cpu_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(cuda, "load_cublas", lambda: True)
    assert [cuda.device_of(wanted, "") for wanted in ("auto", "cuda", "cpu")] == [
        "cuda",
        "cuda",
        "cpu",
    ]
