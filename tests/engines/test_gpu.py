"""What is said of a GPU: a driver of our own stands in for NVIDIA's."""

import subprocess
from pathlib import Path

import pytest

from engines import gpu
from engines.gpu import Facts, look, problems

DRIVER = """
#include <cstring>
extern "C" {
int cuInit(unsigned) { return ERROR; }
int cuDriverGetVersion(int* version) { *version = VERSION; return 0; }
int cuDeviceGetCount(int* count) { *count = COUNT; return 0; }
int cuDeviceGetName(char* name, int size, int) { strncpy(name, "Test GPU", size); return 0; }
int cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = 24000000000; return 0; }
int cuDeviceGetAttribute(int* value, int which, int) { *value = which == 75 ? 8 : 9; return 0; }
}
"""
GPU = "Test GPU, 24000 MB, compute 8.9"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without anything of NVIDIA's."""
    monkeypatch.setattr(gpu, "_PCI_DEVICES", tmp_path / "pci")
    monkeypatch.setattr(gpu, "_DRIVER", str(tmp_path / "libcuda.so.1"))
    monkeypatch.setattr(gpu, "load_cublas", lambda: False)
    return tmp_path


def plug_in(machine: Path, vendor: str, class_: str) -> None:
    device = machine / "pci" / "0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{class_}\n")


def install_driver(machine: Path, *, error: int = 0, version: int = 12080, count: int = 1) -> None:
    values = {"ERROR": error, "VERSION": version, "COUNT": count}
    defines = [f"-D{name}={value}" for name, value in values.items()]
    command = ["c++", "-shared", "-fPIC", "-x", "c++", "-", *defines]
    target = str(machine / "libcuda.so.1")
    subprocess.run([*command, "-o", target], input=DRIVER.encode(), check=True)


def test_a_machine_without_a_gpu_is_fine(machine: Path) -> None:
    plug_in(machine, "0x8086", "0x030000")
    facts = look(has_llama=False)
    assert facts == Facts()
    assert list(problems(facts)) == []


def test_a_gpu_without_a_driver_is_told(machine: Path) -> None:
    plug_in(machine, "0x10de", "0x030200")
    (problem,) = problems(look(has_llama=False))
    assert problem.startswith("There is an NVIDIA GPU, but no driver for it")


def test_the_sound_device_of_a_gpu_is_none(machine: Path) -> None:
    plug_in(machine, "0x10de", "0x040300")
    assert list(problems(look(has_llama=False))) == []


@pytest.mark.parametrize(
    ("error", "version", "count", "says"),
    [
        (100, 12080, 0, "sees no GPU"),
        (0, 12080, 0, "--gpus all"),
        (803, 12080, 1, "does not start (CUDA error 803)"),
        (0, 11040, 1, "CUDA up to 11.4, and 12 is needed"),
    ],
)
def test_a_driver_that_does_not_serve_is_told(
    machine: Path, error: int, version: int, count: int, says: str
) -> None:
    install_driver(machine, error=error, version=version, count=count)
    (problem,) = problems(look(has_llama=True))
    assert says in problem


def test_parts_that_were_built_without_cuda_are_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_driver(machine)
    recognizer, language_model = problems(look(has_llama=False))
    assert recognizer.startswith(f"{GPU} is here, but cuBLAS 12 is not")
    assert "llama.cpp was compiled without CUDA" in language_model
    monkeypatch.setattr(gpu, "load_cublas", lambda: True)
    facts = look(has_llama=True)
    assert facts.gpus == (GPU,)
    assert facts.cuda == (12, 8)
    assert list(problems(facts)) == []
