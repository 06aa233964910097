"""What a request brings: JSON, or a form with an audio file. Bounded in size, number and time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from engines.errors import ProtocolError
from server.config import RestConfig
from server.rest import schema

T = TypeVar("T")

_MAXIMUM_FIELDS = 64
_MAXIMUM_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its fields as JSON values, and the file."""

    fields: dict[str, object]
    file: bytes


async def read_json(request: web.Request, kind: type[T], config: RestConfig) -> T:
    """The body as the dataclass `kind`. Raises `ProtocolError`."""
    if request.content_type.rpartition("/")[2].rpartition("+")[2] != "json":
        raise ProtocolError(
            "Send JSON, with the header 'Content-Type: application/json'.",
            code="unsupported_media_type",
        )
    async with _receiving(config):
        body = await request.read()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"The body is not valid JSON: {error}.", code="invalid_json") from error
    return schema.read(kind, value)


async def read_form(request: web.Request, kind: type[T], config: RestConfig) -> tuple[T, bytes]:
    """The fields of a form as the dataclass `kind`, and its `file`. Raises `ProtocolError`."""
    if request.content_type != "multipart/form-data":
        raise ProtocolError(
            "Send a form, 'Content-Type: multipart/form-data', with the audio in its field 'file'.",
            code="unsupported_media_type",
        )
    async with _receiving(config):
        form = await _form(await _multipart(request), kind, config.max_upload_megabytes)
    if not form.file:
        raise ProtocolError(
            "Missing required parameter: 'file', the audio.",
            code="missing_required_parameter",
            param="file",
        )
    return schema.read(kind, form.fields), form.file


async def read_audio(request: web.Request, config: RestConfig) -> bytes:
    """The audio file of a request: its whole body, or the field `file` of a form."""
    if request.content_type == "multipart/form-data":
        return (await read_form(request, NoFields, config))[1]
    data = bytearray()
    async with _receiving(config):
        async for chunk in request.content.iter_any():
            _extend(data, chunk, config.max_upload_megabytes)
    if not data:
        raise ProtocolError("The body is empty: send an audio file.", code="invalid_audio")
    return bytes(data)


@dataclass(frozen=True, slots=True)
class NoFields:
    """A form that holds nothing but its file."""


@asynccontextmanager
async def _receiving(config: RestConfig) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(config.receive_seconds):
            yield
    except TimeoutError as error:
        raise ProtocolError(
            f"The request did not arrive within {config.receive_seconds:g} s.",
            code="request_timeout",
        ) from error


async def _multipart(request: web.Request) -> MultipartReader:
    try:
        return await request.multipart()
    except (ValueError, AssertionError) as error:
        raise _malformed(error) from error


async def _form(reader: MultipartReader, kind: type, max_megabytes: int) -> Form:
    fields: dict[str, object] = {}
    file = b""
    try:
        for _ in range(_MAXIMUM_FIELDS):
            part = await reader.next()
            if part is None:
                return Form(fields, file)
            if not isinstance(part, BodyPartReader) or not part.name:
                raise _malformed("a part of it is no field")
            if part.name == "file":
                file = await _file(part, max_megabytes)
            else:
                _add(fields, kind, part.name, await _text(part))
    except HttpProcessingError as error:
        raise _malformed(error.message) from error
    except (ValueError, AssertionError, LookupError, RuntimeError) as error:
        raise _malformed(error) from error
    raise _malformed(f"it has more than {_MAXIMUM_FIELDS} fields")


def _add(fields: dict[str, object], kind: type, sent_name: str, text: str) -> None:
    """`name[]` is one of the values of a list, `name[key]` a value of an object."""
    name, bracket, key = sent_name.partition("[")
    if schema.is_list(kind, name) and key in {"", "]"}:
        values = fields.setdefault(name, [])
        assert isinstance(values, list)
        values.append(text)
    elif bracket and schema.is_object(kind, name):
        values = fields.setdefault(name, {})
        assert isinstance(values, dict)
        values[key.removesuffix("]")] = text
    else:
        fields[sent_name] = schema.from_text(kind, sent_name, text)


async def _file(part: BodyPartReader, max_megabytes: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        _extend(data, chunk, max_megabytes)
    return bytes(data)


async def _text(part: BodyPartReader) -> str:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > _MAXIMUM_FIELD_BYTES:
            raise ProtocolError(
                f"The field {part.name!r} is longer than {_MAXIMUM_FIELD_BYTES} bytes.",
                code="body_too_large",
                param=part.name,
            )
    return data.decode()


def _extend(data: bytearray, chunk: bytes, max_megabytes: int) -> None:
    data += chunk
    if len(data) > max_megabytes * 1_000_000:
        raise ProtocolError(
            f"The audio file is larger than {max_megabytes} MB. Send it in parts, or in a format "
            "that is smaller, as Opus or MP3.",
            code="body_too_large",
            param="file",
        )


def _malformed(reason: object) -> ProtocolError:
    return ProtocolError(f"The form is malformed: {reason}.", code="invalid_form")
