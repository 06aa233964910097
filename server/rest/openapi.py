"""`/openapi.json`: the REST door's description, made from its operations and their dataclasses."""

import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from server.rest import schema
from server.rest.errors import ErrorResponse
from server.rest.operation import Operation

VERSION = "1"  # of the interface
_PATH_PARAMETER = re.compile(r"{(\w+)}")

Json = dict[str, Any]


class OpenApi:
    """The document, which holds its own operation too."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        own = Operation(
            "GET",
            "/openapi.json",
            self.get,
            "This document.",
            {"application/json": dict[str, Any]},
            is_public=True,
        )
        self.operations = [*operations, own]
        self._document = document(self.operations)

    async def get(self, request: web.Request) -> web.Response:
        """The document."""
        return web.json_response(self._document)


def document(operations: Iterable[Operation]) -> Json:
    """OpenAPI 3.1."""
    components: Json = {}
    paths: Json = {}
    for operation in operations:
        described = _operation(operation, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tinig",
            "version": VERSION,
            "description": "A voice server for your own machine: OpenAI's audio, chat and model "
            "resources, and spoken turns.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, components: Json) -> Json:
    error = {"content": {"application/json": {"schema": _ref(ErrorResponse, components)}}}
    success = {
        "description": operation.about,
        "content": {
            media_type: {"schema": {} if kind is None else _ref(kind, components)}
            for media_type, kind in operation.answers.items()
        },
        "headers": {
            name: {"description": about, "schema": {"type": "string"}}
            for name, about in operation.answer_headers.items()
        },
    }
    described: Json = {
        "operationId": operation.handler.__qualname__.replace(".", "_").lower(),
        "summary": operation.about,
        "parameters": _parameters(operation, components),
        "responses": {
            "200": success,
            "4XX": {"description": "The request cannot be served as it is.", **error},
            "5XX": {"description": "The server is full, or failed.", **error},
        },
        "security": [] if operation.is_public else [{"key": []}, {}],
    }
    if operation.body is not None:
        described["requestBody"] = _request_body(operation, operation.body, components)
    return described


def _parameters(operation: Operation, components: Json) -> list[Json]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]
    if operation.query is None:
        return in_path
    required = schema.required_fields(operation.query)
    in_query = [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema.property_schemas(operation.query, components).items()
    ]
    return in_path + in_query


def _request_body(operation: Operation, kind: type, components: Json) -> Json:
    if not operation.is_form:
        content = {"application/json": {"schema": _ref(kind, components)}}
    else:
        properties = {
            f"{name}[]" if schema.is_list(kind, name) else name: described
            for name, described in schema.property_schemas(kind, components).items()
        }
        file = {"type": "string", "format": "binary", "description": "The audio, in any format."}
        form = {
            "type": "object",
            "properties": {"file": file, **properties},
            "required": ["file", *schema.required_fields(kind)],
            "additionalProperties": False,
        }
        content = {"multipart/form-data": {"schema": form}}
    return {"required": True, "content": content}


def _ref(kind: Any, components: Json) -> Json:
    return schema.schema_of(kind, components)
