"""The page as it is served: every file it needs is there, and every word in every language."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from engines.config import TtsConfig, VoiceConfig
from server.app import Server
from server.config import Config, ServerConfig
from server.config_schema import LANGUAGES
from server.conversation.interruption import Verdict
from server.conversation.machine import State
from server.metrics import Milestone
from tests.fakes import Stage

WEB = Path(__file__).parents[2] / "server" / "web"
FILES = sorted(path for path in WEB.rglob("*") if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
STRINGS = {code: json.loads((WEB / f"strings/{code}.json").read_text()) for code in LANGUAGES}
TYPES = {
    ".html": "html",
    ".js": "javascript",  # of text or application, by the version of Python
    ".css": "css",
    ".json": "json",
    ".svg": "svg+xml",
}

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def make_client(
    aiohttp_client: Callable[[web.Application], Awaitable[Client]],
) -> Callable[[Config], Awaitable[Client]]:
    async def make(config: Config) -> Client:
        return await aiohttp_client(Server(config, Stage().engines).application())

    return make


MakeClient = Callable[[Config], Awaitable[Client]]


async def test_every_file_is_served_with_its_type_under_a_strict_policy(
    make_client: MakeClient,
) -> None:
    client = await make_client(Config())
    for url, path in [("/", WEB / "index.html"), *((url_of(path), path) for path in FILES)]:
        reply = await client.get(url)
        assert reply.status == 200, url
        assert await reply.read() == path.read_bytes()
        assert reply.content_type.partition("/")[2] == TYPES[path.suffix]
        policy = reply.headers["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-cache"
        unchanged = await client.get(url, headers={"If-None-Match": reply.headers["ETag"]})
        assert unchanged.status == 304


@pytest.mark.parametrize(
    "name", ["nothing.js", "../app.py", "%2e%2e/app.py", "strings", "/etc/passwd", "strings/"]
)
async def test_nothing_else_is_served(make_client: MakeClient, name: str) -> None:
    client = await make_client(Config())
    assert (await client.get(f"/web/{name}")).status == 404


async def test_what_can_be_chosen(make_client: MakeClient) -> None:
    voices = (
        VoiceConfig("es", "piper", "voice.onnx", name="Ana"),
        VoiceConfig("es", "espeak", "+f3"),
    )
    config = replace(Config(), tts=TtsConfig(voices=voices))
    facts = await (await (await make_client(config)).get("/v1/tinig")).json()
    assert [language["code"] for language in facts["languages"]] == list(LANGUAGES)
    assert facts["languages"][1]["name"] == "español"
    assert facts["voices"]["es"] == ["Ana", "espeak-es", "espeak"]
    assert facts["voices"]["fr"] == ["espeak"]
    assert facts["default_language"] == "en"
    assert facts["needs_key"] is False


async def test_it_tells_that_a_key_is_needed_and_not_which(make_client: MakeClient) -> None:
    key = "a-key-of-sixteen-characters"
    client = await make_client(replace(Config(), server=ServerConfig(api_keys=(key,))))
    reply = await client.get("/v1/tinig")
    assert (await reply.json())["needs_key"] is True
    assert key not in await reply.text()


def url_of(path: Path) -> str:
    return f"/web/{path.relative_to(WEB).as_posix()}"


def references() -> Iterator[str]:
    """Every file that the page's own files refer to, as a URL."""
    yield from re.findall(r'(?:src|href)="([^"]+)"', (WEB / "index.html").read_text())
    for script in SCRIPTS:
        text = script.read_text()
        yield from re.findall(r'"(/web/[^"]+)"', text)
        for name in re.findall(r'^(?:import|} from).*"(\.[^"]+)";$', text, re.MULTILINE):
            yield url_of((script.parent / name).resolve())


def test_every_file_that_is_referred_to_is_there() -> None:
    found = set(references())
    assert found <= {url_of(path) for path in FILES}
    loaded_by_name = {url_of(path) for path in FILES if path.parent.name == "strings"}
    assert {url_of(path) for path in FILES} - found == {"/web/index.html", *loaded_by_name}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = (WEB / "index.html").read_text()
    assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=", page)
    for path in FILES:
        addresses = set(re.findall(r"https?://[^\s\"']+", path.read_text()))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path


def test_every_id_that_a_script_looks_for_is_in_the_page() -> None:
    ids = re.findall(r'\bid="([^"]+)"', (WEB / "index.html").read_text())
    assert len(ids) == len(set(ids))
    for script in SCRIPTS:
        assert set(re.findall(r'byId\("([^"]+)"\)', script.read_text())) <= set(ids), script


def keys_in_use() -> set[str]:
    """Keys of the strings that the page, its scripts and the server's own names ask for."""
    page = (WEB / "index.html").read_text()
    keys = set(re.findall(r'data-t(?:-label|-hint)?="([^"]+)"', page))
    for script in SCRIPTS:
        text = script.read_text()
        keys |= set(re.findall(r'\b(?:t|notify)\(\s*"(\w+)"', text))
        keys |= {word for word in re.findall(r'"(\w+)"', text) if word in STRINGS["en"]}
    keys |= {f"state_{state.value}" for state in State}
    keys |= {f"milestone_{name.value}" for name in Milestone if name is not Milestone.SPEECH_END}
    keys |= {f"verdict_{name.value}" for name in Verdict if name is not Verdict.UNDECIDED}
    statuses = re.findall(r'_tell\("(\w+)"', (WEB / "connection.js").read_text())
    return keys | {"milestone_heard", *(f"status_{status}" for status in statuses)}


def test_the_interface_has_every_word_and_no_other() -> None:
    assert keys_in_use() == set(STRINGS["en"])


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_every_string_with_its_values(code: str) -> None:
    assert list(STRINGS[code]) == list(STRINGS["en"])
    for key, text in STRINGS[code].items():
        assert text.strip(), key
        assert values_in(text) == values_in(STRINGS["en"][key]), key


def values_in(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_is_not_left_in_english(code: str) -> None:
    """A few short names are the same; sentences are not."""
    english: dict[str, Any] = STRINGS["en"]
    same = [key for key, text in STRINGS[code].items() if len(text) > 16 and text == english[key]]
    assert same == (
        list(filter(lambda key: len(english[key]) > 16, english)) if code == "en" else []
    )
