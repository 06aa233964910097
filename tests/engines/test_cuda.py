"""cuBLAS is looked for by name and in NVIDIA's own package."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from engines import cuda


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
