"""How the page shows a conversation: what is read out, and where one is in a long one."""

from pathlib import Path

import pytest

from tests.browser.house import CAPTIONS, NOTICE, NUM_CAPTIONS, STATE, house, page, write
from tests.fakes import Stage

pytestmark = pytest.mark.timeout(180)

PHONE = (390, 844)
LONG_CLAUSE = " and it went on and on" * 20
BELOW = (
    "(() => { const log = document.querySelector('#captions-log');"
    "return log.scrollHeight - log.scrollTop - log.clientHeight; })()"
)


async def test_words_are_added_to_an_answer_and_not_written_again(
    tmp_path: Path, silence: Path
) -> None:
    """A screen reader reads what is new."""
    stage = Stage(answer=("It was so.", " And then.", " The end."))
    async with house(stage) as server, page(server.url, tmp_path, silence) as tab:
        await tab.evaluate(WATCH_REMOVED)
        await write(tab, "Hello")
        await tab.until(f"({CAPTIONS}).at(-1) === 'It was so. And then. The end.'")
        assert await tab.evaluate("window.removed") == []
        assert tab.complaints == []


# Notes the text that is taken away from answers.
WATCH_REMOVED = """(() => {
  window.removed = [];
  const note = (records) => records
    .filter(({ target }) => target.closest('.assistant'))
    .flatMap(({ removedNodes }) => [...removedNodes].map((node) => node.textContent))
    .forEach((text) => window.removed.push(text));
  const log = document.querySelector('#captions-log');
  new MutationObserver(note).observe(log, { childList: true, subtree: true });
})()"""


async def test_a_long_answer_is_followed_to_its_end_on_a_phone(
    tmp_path: Path, silence: Path
) -> None:
    stage = Stage(answer=(LONG_CLAUSE, ".", LONG_CLAUSE, "."), speech_seconds_per_character=0.001)
    async with house(stage) as server, page(server.url, tmp_path, silence, size=PHONE) as tab:
        await write(tab, "Hello")
        await tab.until(f"{NUM_CAPTIONS} === 2 && {STATE} === 'listening_idle'")
        assert await tab.evaluate("document.querySelector('#captions-log').scrollTop") > 100
        await tab.until(f"Math.abs({BELOW}) < 2", seconds=5)


async def test_who_has_scrolled_up_to_read_is_left_there(tmp_path: Path, silence: Path) -> None:
    stage = Stage(answer=(LONG_CLAUSE, ".") * 3, speech_seconds_per_character=0.01)
    async with house(stage) as server, page(server.url, tmp_path, silence, size=PHONE) as tab:
        await write(tab, "Hello")
        await tab.until(f"{BELOW} === 0 && document.querySelector('#captions-log').scrollTop > 100")
        await tab.evaluate("document.querySelector('#captions-log').scrollTop = 10")
        await tab.until(f"{STATE} === 'listening_idle'")
        assert await tab.evaluate("document.querySelector('#captions-log').scrollTop") == 10
        await write(tab, "And now?")
        await tab.until(f"Math.abs({BELOW}) < 2", seconds=5)


@pytest.mark.parametrize("size", [(1280, 900), PHONE])
async def test_one_can_write_below_a_message_of_what_went_wrong(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with house(Stage()) as server, page(server.url, tmp_path, None, size=size) as tab:
        await tab.click("#talk")
        await tab.until(f"({NOTICE}).includes('not allowed to use the microphone')")
        await tab.evaluate("window.scrollTo(0, 0)")
        bottom = "document.querySelector('#composer').getBoundingClientRect().bottom"
        assert await tab.evaluate(f"{bottom} <= window.innerHeight")
