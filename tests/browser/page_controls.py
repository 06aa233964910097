"""The page's buttons and keys."""

import asyncio
from pathlib import Path

import pytest

from tests.browser.chromium import Tab
from tests.browser.house import CAPTIONS, NUM_CAPTIONS, STATUS, call_to_hold, house, page, record
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)

PRESSED = "document.querySelector('#talk').classList.contains('pressed')"
CTRL, META = 2, 4  # as the DevTools protocol counts modifiers


async def enter(tab: Tab, kind: str, *, again: bool = False) -> None:
    """The key Enter; `again`: as it is repeated while it is held."""
    typed = {"text": "\r"} if kind == "keyDown" else {}
    await tab.send(
        "Input.dispatchKeyEvent",
        type=kind,
        key="Enter",
        code="Enter",
        windowsVirtualKeyCode=13,
        autoRepeat=again,
        **typed,
    )


async def test_enter_on_the_button_holds_it_down(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", *(("Hello there.", "en"),) * 10)
    async with house(Stage()) as server, page(server.url, tmp_path, microphone) as tab:
        await call_to_hold(tab)
        await tab.evaluate("document.querySelector('#talk').focus()")
        await enter(tab, "keyDown")
        await tab.until(PRESSED)
        for _ in range(3):
            await enter(tab, "keyDown", again=True)
            assert await tab.evaluate(PRESSED)
        await asyncio.sleep(1.0)
        await enter(tab, "keyUp")
        assert not await tab.evaluate(PRESSED)
        await tab.until(f"{NUM_CAPTIONS} === 2")
        assert (await tab.evaluate(CAPTIONS))[1] == "The capital of France is Paris."
        assert tab.complaints == []


async def test_a_screen_readers_click_begins_and_ends_what_is_said(tmp_path: Path) -> None:
    microphone = record(tmp_path / "caller.wav", *(("Hello there.", "en"),) * 10)
    async with house(Stage()) as server, page(server.url, tmp_path, microphone) as tab:
        await call_to_hold(tab)
        await tab.evaluate("document.querySelector('#talk').click()")
        assert await tab.evaluate(PRESSED)
        await asyncio.sleep(1.0)
        await tab.evaluate("document.querySelector('#talk').click()")
        assert not await tab.evaluate(PRESSED)
        await tab.until(f"{NUM_CAPTIONS} === 2")


async def test_a_shortcut_of_the_system_is_no_talk_key(tmp_path: Path, silence: Path) -> None:
    """With Ctrl or Meta and Space one chooses the keyboard's language."""
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.evaluate(
            "void document.addEventListener("
            "'keydown', (event) => (window.isTaken = event.defaultPrevented))"
        )
        for modifiers, is_taken in ((CTRL, False), (META, False), (0, True)):
            for kind in ("keyDown", "keyUp"):
                await tab.send(
                    "Input.dispatchKeyEvent", type=kind, key=" ", code="Space", modifiers=modifiers
                )
            assert await tab.evaluate("window.isTaken") is is_taken
        await tab.until(f"{STATUS} === 'online'")


async def test_who_was_muted_is_heard_by_push_to_talk(tmp_path: Path, silence: Path) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, silence) as tab:
        await tab.click("#talk")
        await tab.until(f"{STATUS} === 'online'")
        await tab.click("#mute")
        muted = "document.querySelector('#mute').ariaPressed"
        assert await tab.evaluate(muted) == "true"
        await tab.click("[name=mode][value=hold]")
        assert await tab.evaluate(muted) == "false"
        assert not await tab.evaluate("import('/web/main.js').then(({ call }) => call.isMuted)")
