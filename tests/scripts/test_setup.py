"""The locks and the set-up that installs them."""

import re
import tomllib
from pathlib import Path

import pytest

from scripts import setup

TORCH = re.findall(r"^torch==\S+", (setup.REQUIREMENTS / "train.txt").read_text(), re.MULTILINE)[0]
LOCKS = sorted(setup.REQUIREMENTS.glob("*.lock"))


def locked(*names: str) -> set[str]:
    """Names of the packages in these locks."""
    text = "\n".join((setup.REQUIREMENTS / name).read_text() for name in names)
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for .venv and .cache that is not the developer's."""
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "CACHE", tmp_path / ".cache")
    (tmp_path / ".venv").mkdir()
    return tmp_path


def test_every_version_is_fixed_by_hash_and_no_host_is_named() -> None:
    assert LOCKS
    for lock in LOCKS:
        text = lock.read_text()
        entries = re.split(r"\n(?=\S)", text.strip())
        assert all(re.match(r"[a-z0-9-]+==\S+", entry) for entry in entries)
        assert all("--hash=sha256:" in entry for entry in entries)
        assert not re.search(r"https?:|file:|index-url|find-links", text)


def test_what_the_project_names_is_locked() -> None:
    project = tomllib.loads((setup.ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    named = [*project["project"]["dependencies"], *groups["dev"], *groups["build"]]
    names = {re.split(r"[\[=<>]", item)[0] for item in named}
    assert names <= locked("cpu.lock", "llama.lock")


def test_an_image_takes_what_serves_at_the_versions_that_were_tested() -> None:
    project = tomllib.loads((setup.ROOT / "pyproject.toml").read_text())
    served = {re.split(r"[\[=<>]", item)[0] for item in project["project"]["dependencies"]}
    assert served <= locked("runtime.lock", "llama.lock")
    runtime, everything = (
        set(re.findall(r"^[a-z0-9-]+==\S+", (setup.REQUIREMENTS / name).read_text(), re.MULTILINE))
        for name in ("runtime.lock", "cpu.lock")
    )
    assert runtime < everything
    assert not {"pytest", "mypy", "ruff"} & locked("runtime.lock")
    assert setup._locks("gpu", runtime=True) == [
        setup.REQUIREMENTS / "runtime.lock",
        setup.REQUIREMENTS / "gpu.lock",
    ]


def test_nothing_of_cuda_is_installed_for_the_cpu() -> None:
    unwanted = re.compile(r"torch|nvidia|cuda|triton|onnxruntime-gpu")
    for locks in (("cpu.lock", "llama.lock"), ("runtime.lock",)):
        assert [name for name in locked(*locks) if unwanted.search(name)] == []
    assert "nvidia-cublas-cu12" in locked("gpu.lock")


def test_when_nothing_has_changed_nothing_is_done(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = setup._digest([*setup._locks("cpu"), *setup._inputs()])
    (tree / ".venv" / ".ready").write_text(f"cpu {inputs}")
    assert setup.main([]) == 0
    assert capsys.readouterr().out == ""


def test_the_variant_that_is_installed_stays_unless_another_is_asked_for(tree: Path) -> None:
    assert setup._variant(None) == "cpu"
    (tree / ".venv" / ".ready").write_text("gpu 0123")
    assert setup._variant(None) == "gpu"
    assert setup._variant("0") == "cpu"


@pytest.mark.parametrize(
    ("tools", "arguments", "message"),
    [
        ([], [], "sudo apt-get install build-essential cmake"),
        (["c++"], [], "sudo apt-get install cmake"),
        (["c++", "cmake"], ["--gpu=1"], "the CUDA variant needs nvcc"),
    ],
)
def test_a_tool_that_is_missing_is_named_before_anything_is_installed(
    tree: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tools: list[str],
    arguments: list[str],
    message: str,
) -> None:
    for tool in tools:
        (tree / tool).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tree))
    assert setup.main(arguments) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_another_python_is_refused_with_the_way_out(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.version_info", (3, 9, 2, "final", 0))
    assert setup.main([]) == 1
    assert "make setup PYTHON=python3.12" in capsys.readouterr().err


def test_a_command_that_fails_shows_its_last_words(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "LOG", tree / "setup.log")
    command = ["sh", "-c", "echo no such package; exit 3"]
    with pytest.raises(setup.SetupError, match=r"(?s)no such package.*setup\.log"):
        setup._run(command, setup.Progress(total=1))
    assert (tree / "setup.log").read_text() == "no such package\n"


@pytest.mark.parametrize(
    ("line", "gist"),
    [
        ("  [12/79] /usr/bin/gcc -DGGML_AVX -c ggml.c", "compiled 12 of 79 files"),
        ("Collecting aiohttp==3.14.5 (from -r cpu.lock)", "Collecting aiohttp==3.14.5"),
        ("  Downloading numpy-2.4.6-cp311.whl (16 MB)", "Downloading numpy-2.4.6-cp311.whl"),
        ("-- Configuring done", ""),
    ],
)
def test_progress_is_read_from_pip_and_ninja(line: str, gist: str) -> None:
    assert setup._gist(line) == gist


@pytest.fixture
def commands(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that set-up runs for training, on a machine without a GPU; none is run."""
    run: list[list[str]] = []
    monkeypatch.setattr(setup, "TRAIN_VENV", tree / ".venv-train")
    monkeypatch.setattr(setup, "LOG", tree / "setup.log")
    monkeypatch.setattr(setup, "_run", lambda command, *_: run.append(list(command)))
    monkeypatch.setattr("shutil.which", lambda _: None)
    wheels = tree / ".cache" / "wheels" / setup._wheel_key("cpu")
    wheels.mkdir(parents=True)
    (wheels / "llama_cpp_python-1.whl").touch()
    (tree / ".venv-train").mkdir()
    return run


def torch_of(command: list[str]) -> list[str]:
    return [word for word in command if word.startswith("torch")]


def test_without_a_gpu_only_the_build_without_cuda_can_be_installed(
    commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup.main(["--train"]) == 0
    installs = [command for command in commands if "install" in command]
    assert [torch_of(command) for command in installs] == [[f"{TORCH}+cpu"]] * 2
    assert "--no-deps" in installs[0]  # nothing else is asked of that index
    assert f"--extra-index-url={setup.TORCH_CPU_INDEX}" in installs[0]
    assert "no NVIDIA GPU" in capsys.readouterr().out


def test_with_a_gpu_torch_comes_as_published(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert setup.main(["--train"]) == 0
    assert all(torch_of(line) == [TORCH] for line in commands if "install" in line)


def test_another_build_of_torch_is_no_way_out(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(command: list[str], *_: object) -> None:
        commands.append(command)
        if torch_of(command):
            raise setup.SetupError("no matching distribution")

    monkeypatch.setattr(setup, "_run", refuse)
    assert setup.main(["--train"]) == 1
    assert len([line for line in commands if torch_of(line)]) == 1
    assert "PIP_EXTRA_INDEX_URL" in capsys.readouterr().err
