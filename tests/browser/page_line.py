"""The page's door and line: who comes in, what is said when a call cannot be or ends."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from server.config import Config, ConversationConfig
from tests.browser.house import (
    CAPTIONS,
    KEY,
    LONG_ANSWER,
    NOTICE,
    NUM_CAPTIONS,
    STATE,
    STATUS,
    House,
    door,
    house,
    page,
    write,
)
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)


async def test_a_line_that_breaks_is_taken_up_again(tmp_path: Path, silence: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.click("#talk")
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        await server.drop_calls()
        await tab.until(f"{STATUS} === 'waiting'")
        assert "connection was lost" in await tab.evaluate(NOTICE)
        await tab.until(f"{STATUS} === 'online'")
        assert await tab.evaluate(NOTICE) == ""
        await write(tab, "And now?")
        await tab.until(f"{NUM_CAPTIONS} === 4")
        said = [(message.role, message.content) for message in server.stage.prompts[-1].messages]
        assert said[1:] == [
            ("user", "Hello"),
            ("assistant", "The capital of France is Paris."),
            ("user", "And now?"),
        ]


async def test_what_a_broken_line_swallowed_was_not_heard(tmp_path: Path, silence: Path) -> None:
    stage = Stage(answer=LONG_ANSWER)
    async with house(stage) as server, page(server.url, tmp_path, silence) as tab:
        await write(tab, "Tell me a story")
        await tab.until(f"{STATE} === 'ai_speaking'")
        await asyncio.sleep(1.5)
        await server.drop_calls()
        await tab.until(f"{STATUS} === 'online'")
        unheard = "document.querySelector('.unheard')?.textContent ?? ''"
        assert (await tab.evaluate(unheard)).endswith("could stop.")
        stage.answer = ("It ended", " well.")
        await write(tab, "Go on")
        await tab.until(f"({CAPTIONS}).at(-1) === 'It ended well.'")
        heard = stage.prompts[-1].messages[2].content
        assert heard.startswith("Once upon a time")
        assert "stop." not in heard


async def test_a_full_server_is_told_in_words_and_tried_again(
    tmp_path: Path, silence: Path
) -> None:
    async with (
        house(Stage(), door(max_sessions=1)) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        server.server.counters.sessions = 1  # somebody else
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'waiting'")
        assert "places on this server are taken" in await tab.evaluate(NOTICE)
        server.server.counters.sessions = 0
        await tab.until(f"{STATUS} === 'online'")


async def test_what_was_written_and_not_sent_is_given_back(tmp_path: Path, silence: Path) -> None:
    async with (
        house(Stage(), door(max_sessions=1)) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        server.server.counters.sessions = 1  # somebody else
        await write(tab, "Hello.")
        await tab.until(f"{STATUS} === 'waiting'")
        await write(tab, "Is anybody there?")
        await tab.evaluate("document.querySelector('#text').focus()")
        await tab.send("Input.insertText", text="I wait.")
        await tab.click("#hang-up")
        await tab.until(f"{STATUS} === 'offline'")
        written = await tab.evaluate("document.querySelector('#text').value")
        assert written == "I wait. Hello. Is anybody there?"
        assert await tab.evaluate(CAPTIONS) == []


async def test_a_server_that_becomes_ready_at_the_wrong_moment_is_not_given_up(
    tmp_path: Path, silence: Path
) -> None:
    """The attempt fails because it is full; when the page asks why, it is not any more."""
    async with (
        house(Stage(), door(max_sessions=1)) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        server.server.counters.sessions = 1  # somebody else
        refused = server.server.counters.refused
        leaves = asyncio.create_task(_leaves_when_refused(server), name="leaves")
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
        await leaves
        assert refused == {"Service Unavailable": 1}
        assert await tab.evaluate(NOTICE) == ""


async def _leaves_when_refused(server: House) -> None:
    """Whoever has the only place, as soon as somebody else was refused it."""
    while not server.server.counters.refused:  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0)
    server.server.counters.sessions = 0


async def test_a_refused_microphone_is_told_in_words_and_one_can_write(tmp_path: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, None) as tab:
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('not allowed to use the microphone')")
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2")
        assert await tab.evaluate(CAPTIONS) == ["Hello", "The capital of France is Paris."]


async def test_a_caller_who_is_gone_is_hung_up_on(tmp_path: Path, silence: Path) -> None:
    config = replace(Config(), conversation=ConversationConfig(idle_seconds=1.0))
    async with house(Stage(), config) as server, page(server.url, tmp_path, silence) as tab:
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'offline' && ({NOTICE}).includes('Nobody spoke')")
        said = await tab.evaluate(CAPTIONS)
        assert said[0] == "Are you still there?"
        assert await tab.evaluate("document.querySelector('#talk-label').textContent") == "Talk"


async def test_a_key_is_asked_for(tmp_path: Path, silence: Path) -> None:
    async with (
        house(Stage(), door(api_keys=(KEY,))) as server,
        page(server.url, tmp_path, silence) as tab,
    ):
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('needs a key')")
        assert await tab.evaluate("document.activeElement.id") == "key"
        await tab.send("Input.insertText", text="not-the-key")
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('does not know this key')")
        await tab.evaluate("document.querySelector('#key').value = ''")
        await tab.send("Input.insertText", text=KEY)
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
