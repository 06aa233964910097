"""The real server with the starter models, started once for all tests that talk to it."""

from collections.abc import Iterator

import pytest

from evaluation.server_process import RunningServer, server_process


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`python -m server` on a free port, as it comes: no tinig.toml of the owner."""
    folder = tmp_path_factory.mktemp("server")
    config = folder / "tinig.toml"
    config.touch()
    arguments = ["--config", str(config)]
    with server_process(folder / "server.log", arguments=arguments) as server:
        yield server
