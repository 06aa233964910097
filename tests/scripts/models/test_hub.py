"""Getting a file from a hub that redirects, cuts off, asks for patience, and lies."""

import hashlib
from pathlib import Path

import pytest

from scripts.models import hub as hub_module
from scripts.models.errors import ModelsError
from scripts.models.hub import Hub, Told
from tests.scripts.models.conftest import REVISION
from tests.scripts.models.hub_double import Answer, Cut, Fault, HubDouble, NoRanges, Stall

DATA = bytes(range(256)) * 40


def ignore(_: int) -> None:
    """For who does not want to know how far it is."""


@pytest.fixture
def address(double: HubDouble) -> str:
    return double.put("maker/model", REVISION, "sub dir/model.bin", DATA, stored=True)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.bin.part"


def url(hub: Hub) -> str:
    return hub.url("maker/model", REVISION, "sub dir/model.bin")


@pytest.mark.usefixtures("address")
def test_a_file_is_followed_into_the_store(hub: Hub, part: Path) -> None:
    seen: list[int] = []
    hub.fetch(url(hub), part, seen.append)
    assert part.read_bytes() == DATA
    assert seen[-1] == len(DATA)


@pytest.mark.usefixtures("address")
def test_the_hub_is_asked_for_size_and_hash_and_not_the_store(double: HubDouble, hub: Hub) -> None:
    assert hub.ask(url(hub)) == Told(len(DATA), hashlib.sha256(DATA).hexdigest())
    assert [request.method for request in double.requests] == ["HEAD"]


def test_of_a_small_file_the_hub_tells_the_size(double: HubDouble, hub: Hub) -> None:
    double.put("maker/model", REVISION, "config.json", b"{}")
    assert hub.ask(hub.url("maker/model", REVISION, "config.json")) == Told(2, None)


@pytest.mark.parametrize(
    "faults",
    [
        [Cut(4000), Cut(3000)],
        [Stall(4000)],
        [Answer(503), Answer(500), Cut(100), Cut(0)],
        [Cut(4000), NoRanges()],
    ],
    ids=["cut twice", "stalled", "down for a while", "the store takes no ranges"],
)
def test_what_was_cut_off_goes_on(
    double: HubDouble, hub: Hub, address: str, part: Path, faults: list[Fault]
) -> None:
    double.faults[address] = list(faults)
    hub.fetch(url(hub), part, ignore)
    assert part.read_bytes() == DATA
    assert double.faults[address] == []


def test_a_later_run_asks_for_the_rest_alone(
    double: HubDouble, hub: Hub, address: str, part: Path
) -> None:
    part.write_bytes(DATA[:5000])
    hub.fetch(url(hub), part, ignore)
    assert part.read_bytes() == DATA
    assert {request.range for request in double.bodies(address)} == {"bytes=5000-"}


@pytest.mark.usefixtures("address")
def test_a_part_that_is_whole_is_left_as_it_is(hub: Hub, part: Path) -> None:
    part.write_bytes(DATA)
    hub.fetch(url(hub), part, ignore)
    assert part.read_bytes() == DATA


def test_the_hub_is_given_the_time_that_it_asks_for(
    double: HubDouble, hub: Hub, address: str, part: Path, waits: list[float]
) -> None:
    double.faults[address] = [Answer(429, "17"), Answer(429, "Sat, 01 Jan 2000 00:00:00 GMT")]
    hub.fetch(url(hub), part, ignore)
    assert waits == [17.0, 4.0]


def test_one_that_stays_down_is_given_up_and_what_came_is_kept(
    double: HubDouble, hub: Hub, address: str, part: Path
) -> None:
    double.faults[address] = [Cut(4000), *[Answer(503)] * 9]
    with pytest.raises(ModelsError, match=r"503.*3 times in a row.*goes on from there"):
        hub.fetch(url(hub), part, ignore)
    assert part.read_bytes() == DATA[:4000]


def test_nobody_there_is_said_so(hub: Hub, part: Path) -> None:
    nowhere = Hub("http://127.0.0.1:9", timeout_seconds=1, tries=2, sleep=hub.sleep)
    with pytest.raises(ModelsError, match="refused"):
        nowhere.fetch(url(nowhere), part, ignore)
    unknown = Hub("http://hub.invalid", tries=1, sleep=hub.sleep)
    with pytest.raises(ModelsError, match="its name is not known here"):
        unknown.fetch(url(unknown), part, ignore)


def test_a_file_that_is_gone_is_not_asked_for_again(
    double: HubDouble, hub: Hub, part: Path, waits: list[float]
) -> None:
    with pytest.raises(ModelsError, match=r"404.*HF_ENDPOINT"):
        hub.fetch(hub.url("maker/model", REVISION, "gone"), part, ignore)
    assert len(double.requests) == 1
    assert waits == []


def test_one_that_asks_for_an_account_says_where_a_token_goes(
    double: HubDouble, hub: Hub, address: str, part: Path
) -> None:
    double.faults[address] = [Answer(403)]
    with pytest.raises(ModelsError, match="HF_TOKEN"):
        hub.fetch(url(hub), part, ignore)


@pytest.mark.usefixtures("address")
def test_the_token_is_for_the_hub_and_not_for_the_store(double: HubDouble, part: Path) -> None:
    hub = Hub(double.endpoint, token="secret")
    hub.fetch(url(hub), part, ignore)
    told = {request.host.split(":")[0]: request.authorization for request in double.requests}
    assert told == {"127.0.0.1": "Bearer secret", "localhost": ""}
    assert "secret" not in repr(hub)


def test_a_proxy_is_used(double: HubDouble, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double.put("maker/model", REVISION, "config.json", b"{}")
    monkeypatch.setenv("http_proxy", double.endpoint)
    hub = Hub("http://hub.invalid")
    hub.fetch(hub.url("maker/model", REVISION, "config.json"), part, ignore)
    assert part.read_bytes() == b"{}"
    assert double.requests[0].host == "hub.invalid"


def test_mirror_and_token_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub = hub_module.from_environment()
    assert hub.url("a/b", REVISION, "c") == f"https://mirror.example/hf/a/b/resolve/{REVISION}/c"
    assert hub.token == "secret"
    monkeypatch.setenv("HF_ENDPOINT", "mirror.example")
    with pytest.raises(ModelsError, match="HF_ENDPOINT"):
        hub_module.from_environment()
