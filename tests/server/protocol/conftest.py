"""A server on scripted engines, and who calls it."""

from dataclasses import replace

import pytest

from server.app import Server
from server.config import Config, ConversationConfig
from tests.fakes import Stage
from tests.server.protocol.wire import Client, MakeClient


@pytest.fixture
def stage() -> Stage:
    return Stage(speech_seconds_per_character=0.01, stt_seconds=0.0)


@pytest.fixture
async def client(stage: Stage, aiohttp_client: MakeClient) -> Client:
    config = replace(Config(), conversation=ConversationConfig(partial_interval_seconds=0.1))
    return await aiohttp_client(Server(config, stage.engines).application())
