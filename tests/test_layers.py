"""Who may import whom, read from the source of every module.

engines/ knows models and never the server; server/ knows calls and never a model library; torch is
for training alone, so that nobody needs it to serve.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRAINING = ROOT / "scripts" / "train_starter"
MODEL_LIBRARIES = {
    "ctranslate2",
    "espeakng_loader",
    "faster_whisper",
    "llama_cpp",
    "onnx",
    "onnxruntime",
    "piper",
    "silero_vad",
    "tokenizers",
}
TRAINING_LIBRARIES = {"torch", "torchaudio", "transformers"}


def modules(*folders: str) -> list[Path]:
    """Every Python file under these top-level folders."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert found, f"no modules under {folders}"
    return found


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a file imports."""
    package = path.relative_to(ROOT).parent.parts
    return imported_by(path.read_text(encoding="utf-8"), package)


def imported_by(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """The dotted names that a module of `package` imports, wherever in it; all as absolute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*parent, *([node.module] if node.module else [])])


def offenders(paths: list[Path], forbidden: set[str]) -> list[str]:
    """`file imports name` for every import whose first part is forbidden."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if name.split(".")[0] in forbidden
    ]


def test_engines_know_no_calls() -> None:
    assert offenders(modules("engines"), {"server", "evaluation", "benchmarks", "tests"}) == []


def test_the_server_knows_no_model_library() -> None:
    assert offenders(modules("server"), MODEL_LIBRARIES) == []


def test_what_serves_knows_neither_evaluation_nor_tests() -> None:
    outside = {"evaluation", "benchmarks", "scripts", "tests"}
    assert offenders(modules("engines", "server"), outside) == []


def test_torch_is_for_training_alone() -> None:
    everything = modules("engines", "server", "evaluation", "benchmarks", "scripts", "tests")
    serving = [path for path in everything if not path.is_relative_to(TRAINING)]
    assert offenders(serving, TRAINING_LIBRARIES) == []


def test_the_configuration_loads_no_engine() -> None:
    """`--help`, `--print-config` and a wrong setting answer at once."""
    allowed = {"engines.config", "engines.errors"}
    for path in sorted((ROOT / "server").glob("config*.py")):
        assert {name for name in imports(path) if name.startswith("engines")} <= allowed


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import torch.nn", "torch.nn"),
        ("def f():\n    from torch import nn", "torch"),
        ("from ..errors import X", "engines.errors"),
        ("from . import piper", "engines.tts"),
    ],
)
def test_no_form_of_import_is_overlooked(source: str, name: str) -> None:
    assert list(imported_by(source, ("engines", "tts"))) == [name]
