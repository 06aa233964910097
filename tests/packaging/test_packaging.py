"""What is packaged agrees with the server and with itself. docs/install.md says what was run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engines.config import REPOSITORY
from scripts.rehearse_image import context, instructions
from server.config import Config, ServerConfig, parse

PACKAGING = REPOSITORY / "packaging"
DOCKERFILES = (REPOSITORY / "Dockerfile.gpu", PACKAGING / "Dockerfile")
SERVER = (REPOSITORY / "server" / "app.py").read_text()
PORT = Config().server.port
USER = 10001


def final_stage(path: Path) -> dict[str, list[str]]:
    """The last stage's instructions by name."""
    stage: dict[str, list[str]] = {}
    for instruction, rest in instructions(path):
        if instruction == "FROM":
            stage = {}
        stage.setdefault(instruction, []).append(rest)
    return stage


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((PACKAGING / "kubernetes.yaml").read_text()))


def document(kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        item for item in documents() if item["kind"] == kind and item["metadata"]["name"] == name
    ]
    return found


def pod(kind: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = document(kind, name)["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_serves_as_nobody_and_is_asked_how_it_is(path: Path) -> None:
    stage = final_stage(path)
    assert stage["USER"] == [str(USER)]
    assert json.loads(stage["ENTRYPOINT"][0])[-2:] == ["-m", "server"]
    assert stage["EXPOSE"] == [str(PORT)]
    assert stage["STOPSIGNAL"] == ["SIGTERM"]
    assert json.loads(stage["VOLUME"][0]) == ["/models", "/cache"]
    assert f"http://127.0.0.1:{PORT}/healthz" in stage["HEALTHCHECK"][0]
    settings = dict(word.split("=", 1) for word in stage["ENV"][0].split())
    tinig = {name: value for name, value in settings.items() if name.startswith("TINIG_")}
    config = parse([], tinig | {"TINIG_SERVER_API_KEYS": "sixteen characters"})
    assert (config.server.host, config.server.log_format) == ("0.0.0.0", "json")


def test_both_images_are_the_same_but_for_cuda() -> None:
    gpu, cpu = (final_stage(path) for path in DOCKERFILES)
    differing = {name for name in gpu if gpu[name] != cpu.get(name)}
    assert differing == {"FROM", "ENV", "HEALTHCHECK"}
    assert set(cpu["ENV"][0].split()) < set(gpu["ENV"][0].split())
    assert "CUDA_CACHE_PATH=/cache/cuda" in gpu["ENV"][0].split()


def test_the_builder_is_sent_what_serves_and_nothing_else() -> None:
    sent = set(context())
    needed = {
        "Makefile",
        "pyproject.toml",
        "requirements/cpu.lock",
        "requirements/gpu.lock",
        "requirements/llama.cmake",
        "scripts/setup.py",
        "scripts/download_models.py",
        "models/manifest.toml",
        "models/starter/llm/starter.gguf",
        "engines/stt/languages.toml",
        "server/language/data/hi/language.toml",
        "server/web/index.html",
    }
    assert needed <= sent
    assert not {name for name in sent if name.startswith(("tests/", "docs/", ".", "benchmarks/"))}


def test_every_path_that_is_asked_is_one_of_the_servers() -> None:
    asked = set()
    for name in ("kubernetes.yaml", "haproxy.cfg"):
        asked |= set(re.findall(r"(?:path: |uri )(/\w+)", (PACKAGING / name).read_text()))
    assert asked == {"/healthz", "/readyz", "/balancer"}  # the last is the balancer's own
    assert all(f'"{path}"' in SERVER for path in asked - {"/balancer"})


def test_new_calls_go_by_readiness_and_restarts_by_health() -> None:
    (container,) = pod("Deployment", "tinig")["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]


def test_calls_may_end_before_the_supervisor_ends_the_process() -> None:
    spec = pod("Deployment", "tinig")
    (drain,) = [
        int(variable["value"])
        for variable in spec["containers"][0]["env"]
        if variable["name"] == "TINIG_SERVER_DRAIN_SECONDS"
    ]
    assert 10 < drain < spec["terminationGracePeriodSeconds"]
    for name, limit in (("tinig.service", "TimeoutStopSec="), ("compose.yaml", "grace_period: ")):
        text = (PACKAGING / name).read_text()
        (seconds,) = re.findall(r'DRAIN_SECONDS(?:=|: ")(\d+)', text)
        (most,) = re.findall(rf"{limit}(\d+)", text)
        assert 10 < int(seconds) < int(most)
    assert ServerConfig().drain_seconds < 10  # what `docker stop` waits


def test_every_pod_runs_as_the_images_user() -> None:
    for kind, name in (("Deployment", "tinig"), ("Job", "tinig-fetch-models")):
        spec = pod(kind, name)
        assert spec["securityContext"]["runAsUser"] == USER
        (container,) = spec["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]


def test_selectors_find_their_pods() -> None:
    labels = {
        name: document("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        for name in ("tinig", "tinig-balancer")
    }
    assert document("Service", "tinig-servers")["spec"]["selector"] == labels["tinig"]
    assert document("Service", "tinig")["spec"]["selector"] == labels["tinig-balancer"]
    balancer = document("ConfigMap", "tinig-balancer")["data"]["haproxy.cfg"]
    assert f"tinig-servers:{PORT}" in balancer


def test_both_balancers_balance_alike() -> None:
    def backend(text: str) -> list[str]:
        lines = text.partition("default_backend tinig\n")[2].splitlines()
        return [
            line.strip() for line in lines if line.strip() and not line.strip().startswith("server")
        ]

    inside = document("ConfigMap", "tinig-balancer")["data"]["haproxy.cfg"]
    assert backend(inside) == backend((PACKAGING / "haproxy.cfg").read_text())
    assert "balance leastconn" in backend(inside)


def test_the_gpu_is_what_the_second_compose_file_adds() -> None:
    base, gpu = (
        yaml.safe_load((PACKAGING / name).read_text())
        for name in ("compose.yaml", "compose.gpu.yaml")
    )
    assert gpu["services"].keys() == base["services"].keys()
    for services in (base["services"], gpu["services"]):
        for service in services.values():
            assert (REPOSITORY / service["build"]["dockerfile"]).is_file()
    assert base["services"]["fetch"]["profiles"] == ["fetch"]  # only when asked for


def test_the_unit_starts_the_server() -> None:
    unit = (PACKAGING / "tinig.service").read_text()
    folder = re.search(r"^WorkingDirectory=(.*)$", unit, re.MULTILINE)
    start = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert folder is not None
    assert start is not None
    assert start[1] == f"{folder[1]}/.venv/bin/python -m server"


def test_no_module_hides_the_package_of_the_same_name() -> None:
    assert list(PACKAGING.glob("*.py")) == []
