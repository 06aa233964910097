"""`/v1/models`: what this process has loaded."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from engines.errors import ProtocolError
from engines.loaded import LoadedModel
from server.rest import schema
from server.rest.operation import Operation

ALL_IN_ONE = "tinig"  # the name of the whole: it hears, thinks and speaks

_NO_NAME = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be named in requests."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


@dataclass(frozen=True, slots=True)
class ModelList:
    """All of them."""

    object: Literal["list"]
    data: tuple[Model, ...]


class Models:
    """The handlers."""

    def __init__(self, loaded: Sequence[LoadedModel]) -> None:
        created = int(time.time())
        names = dict.fromkeys((ALL_IN_ONE, *(f"{m.kind}-{_slug(m.name)}" for m in loaded)))
        self._models = {name: Model(name, "model", created, "tinig") for name in names}

    def operations(self) -> list[Operation]:
        """What can be asked."""
        answer = {"application/json": ModelList}
        one = {"application/json": Model}
        return [
            Operation("GET", "/v1/models", self.list, "The models that are loaded.", answer),
            Operation("GET", "/v1/models/{model}", self.get, "One of them.", one),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """All models."""
        models = ModelList("list", tuple(self._models.values()))
        return web.json_response(schema.to_json(models))

    async def get(self, request: web.Request) -> web.Response:
        """One model."""
        name = request.match_info["model"]
        if name not in self._models:
            raise ProtocolError(
                f"There is no model {name!r} here. Loaded: {', '.join(self._models)}.",
                code="model_not_found",
                param="model",
            )
        return web.json_response(schema.to_json(self._models[name]))


def _slug(name: str) -> str:
    return _NO_NAME.sub("-", name.lower()).strip("-")
