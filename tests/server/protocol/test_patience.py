"""The watch over what is sent, in virtual time."""

import asyncio

import pytest

from server.protocol.patience import Patience
from tests.virtual import virtual_time


class Line:
    """Counts how often, and notes when, it was cut."""

    def __init__(self) -> None:
        self.cuts: list[float] = []

    def cut(self) -> None:
        self.cuts.append(asyncio.get_running_loop().time())


@virtual_time
async def test_what_is_not_taken_in_time_cuts_the_line() -> None:
    line = Line()
    patience = Patience(5.0, line.cut)
    await asyncio.sleep(1.0)
    with patience:
        await asyncio.sleep(60.0)
    assert line.cuts == pytest.approx([6.0])


@virtual_time
async def test_each_thing_that_is_sent_has_the_whole_time() -> None:
    line = Line()
    patience = Patience(5.0, line.cut)
    for _ in range(10):
        with patience:
            await asyncio.sleep(4.9)
    with patience:
        await asyncio.sleep(60.0)
    assert line.cuts == pytest.approx([10 * 4.9 + 5.0])


@virtual_time
async def test_between_two_things_there_is_time_without_end() -> None:
    line = Line()
    patience = Patience(5.0, line.cut)
    with patience:
        await asyncio.sleep(0.1)
    await asyncio.sleep(3600.0)
    with patience:
        await asyncio.sleep(4.9)
    assert line.cuts == []


@virtual_time
async def test_what_fails_is_not_waited_for() -> None:
    line = Line()
    patience = Patience(5.0, line.cut)
    with pytest.raises(ConnectionError), patience:
        raise ConnectionError
    await asyncio.sleep(60.0)
    assert line.cuts == []


@virtual_time
async def test_a_closed_one_keeps_no_timer() -> None:
    line = Line()
    patience = Patience(5.0, line.cut)
    with patience:
        patience.close()
        await asyncio.sleep(60.0)
    assert line.cuts == []
