"""The architectures that are measured at full size, and what a machine needs for them."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.random_models import VitsShape, WhisperShape
from engines import gpu
from engines.llm.llama import supports_gpu
from scripts.gguf_file import Q4_BLOCK, Q4_BLOCK_BYTES, LlamaShape

_MEMORY = re.compile(r", (\d+) MB,")


class Lacking(Exception):
    """This machine cannot run that size; says what it lacks."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is measured on one kind of machine, the first of each for the whole way too."""

    whispers: Mapping[str, WhisperShape]
    compute_types: tuple[str, ...]
    llamas: Mapping[str, LlamaShape]
    vocabulary_size: int
    levels: tuple[int, ...]  # callers at the same stage at once
    callers: tuple[int, ...]  # of a server, who speak and listen
    needs_gpu: bool
    sequences: int  # that hold a chat while others are answered
    chat_tokens: int  # of each of those
    context_tokens: int  # of all chats of the server
    times: int  # that a stage is measured
    voice: VitsShape = field(default_factory=VitsShape)

    @property
    def disk_gigabytes(self) -> float:
        """Of all files together."""
        whispers = (_whisper_gigabytes(shape) for shape in self.whispers.values())
        llamas = (self._llama_gigabytes(shape) for shape in self.llamas.values())
        return sum(whispers) + sum(llamas) + 0.1

    @property
    def memory_gigabytes(self) -> float:
        """Of the machine, to make, to load and to serve the largest of each."""
        whisper = max(map(_whisper_gigabytes, self.whispers.values()))
        return 2 * whisper + max(map(self._llama_gigabytes, self.llamas.values())) + 2.0

    @property
    def gpu_gigabytes(self) -> float:
        """Of the GPU: the weights, four ways to keep the chats, room to compute."""
        whisper = max(map(_whisper_gigabytes, self.whispers.values()))
        kept = max(map(_kv_gigabytes, self.llamas.values()))
        chats = max(4 * self.sequences * 2 * self.chat_tokens, self.context_tokens)
        llama = max(map(self._llama_gigabytes, self.llamas.values()))
        return max(whisper, llama) + whisper + kept * chats + 6.0

    def _llama_gigabytes(self, shape: LlamaShape) -> float:
        width = shape.width
        layer = 2 * width * (width + shape.kv_width) + 3 * width * shape.feed_forward_width
        weights = shape.layers * layer + 2 * self.vocabulary_size * width
        return weights / Q4_BLOCK * Q4_BLOCK_BYTES / 1e9


SMALL = Size(
    whispers={"whisper base": WhisperShape(6, 6, 512, 8)},
    compute_types=("int8",),
    llamas={"llama 0.13B": LlamaShape(30, 576, 9, 3, 1536, 8192)},  # as SmolLM2 135M
    vocabulary_size=49_152,
    levels=(1, 4, 16),
    callers=(1, 2, 4),
    needs_gpu=False,
    sequences=8,
    chat_tokens=64,
    context_tokens=16_384,
    times=2,
)
FULL = Size(
    whispers={
        "whisper large-v3-turbo": WhisperShape(32, 4, 1280, 20, 128),
        "whisper large-v3": WhisperShape(32, 32, 1280, 20, 128),
    },
    compute_types=("float16", "int8_float16"),
    llamas={
        "llama 4B": LlamaShape(32, 3072, 24, 8, 9216, 8192),
        "llama 8B": LlamaShape(32, 4096, 32, 8, 14_336, 8192),  # as Llama 3.1
    },
    vocabulary_size=128_256,
    levels=(1, 2, 4, 8, 16, 32, 64),
    callers=(1, 2, 4, 8, 16, 32, 64),
    needs_gpu=True,
    sequences=64,
    chat_tokens=512,
    context_tokens=131_072,
    times=5,
)
SIZES: Mapping[str, Size] = {"small": SMALL, "full": FULL}


def require(size: Size, folder: Path) -> None:
    """Raise `Lacking` if this machine cannot run a size, its models in `folder`."""
    if problems := list(_lacks(size, folder)):
        raise Lacking("This machine cannot run that size. " + " ".join(problems))


def _lacks(size: Size, folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    there = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
    if free + there < size.disk_gigabytes:
        yield f"{size.disk_gigabytes:.1f} GB of disk are needed in {folder}; {free:.1f} are free."
    available = _available_gigabytes()
    if available < size.memory_gigabytes:
        yield f"{size.memory_gigabytes:.1f} GB of memory are needed; {available:.1f} are available."
    if size.needs_gpu:
        yield from _gpu_lacks(size, gpu.look(has_llama=supports_gpu()))


def _gpu_lacks(size: Size, facts: gpu.Facts) -> Iterator[str]:
    yield from gpu.problems(facts)
    if not facts.has_driver:
        yield "A GPU is needed, and there is no driver of one."
    sizes = [int(found[1]) / 1000 for name in facts.gpus if (found := _MEMORY.search(name))]
    if sizes and sizes[0] < size.gpu_gigabytes:
        yield f"{size.gpu_gigabytes:.0f} GB of GPU memory are needed; it has {sizes[0]:.0f}."


def _whisper_gigabytes(shape: WhisperShape) -> float:
    layers = 12 * shape.encoder_layers + 16 * shape.decoder_layers
    return 2 * (layers * shape.width**2 + 2 * 52_000 * shape.width) / 1e9


def _kv_gigabytes(shape: LlamaShape) -> float:
    """Of one token."""
    return 2 * 2 * shape.layers * shape.kv_width / 1e9


def _available_gigabytes() -> float:
    for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 / 1e9
    return 0.0
