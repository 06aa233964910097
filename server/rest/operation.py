"""What can be asked of the REST door: one `Operation` per method and path.

Routes and the OpenAPI document are made from these, so that neither can promise what the other
does not hold.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. Answers are given by media type: a dataclass, or None for bytes."""

    method: str
    path: str  # as "/v1/models/{model}"
    handler: Handler
    about: str
    answers: Mapping[str, Any]
    body: type | None = None
    is_form: bool = False  # multipart/form-data, with the audio in `file`; otherwise JSON
    query: type | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)  # name: what it holds
    is_public: bool = False  # no key is asked for

    @property
    def is_work(self) -> bool:
        """Whether it takes one of the places for requests."""
        return self.method == "POST"
