"""OPC-UA against a server that is not of our making: values, writes, subscriptions, security, and fault P8."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from collector.status.heartbeat import MAX_TEXTS
from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import ConnectFailed, RequestRefused, SessionLost
from protocols.opcua.addresses import parse_address
from protocols.opcua.certificates import fingerprint
from protocols.opcua.driver import OpcUaDriver
from protocols.opcua.requests import OpcUaRequest
from protocols.opcua.session import OpcUaSession
from protocols.quality import Quality
from tests.doubles.opcua_device import OpcUaDevice
from tests.doubles.opcua_judge import PASSWORD, USER, Judge, make_certificate

POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
LOGIN: dict[str, Any] = {"username": USER, "password": PASSWORD}
RESTARTS = int(os.environ.get("OPCUA_RESTARTS", "50"))  # the full run has 500
LIMITS = {"maxNodesPerRead": 7, "maxMonitoredItemsPerCall": 3}
_names = (f"s=node{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with Judge(tmp_path_factory.mktemp("judge")) as judge:
        judge.start(limits=LIMITS, maxSessions=4)
        yield judge


@pytest.fixture
def driver(tmp_path: Path) -> OpcUaDriver:
    return OpcUaDriver(tmp_path / "opcua")


class Talk:
    """A session and what it takes to use it."""

    def __init__(self, driver: OpcUaDriver, judge: Judge, timeout_s: float, **fields: object) -> None:
        self.driver = driver
        self.connection = driver.connection({"url": f"opc.tcp://127.0.0.1:{judge.port}/judge", **fields}, timeout_s)
        self.session: OpcUaSession

    def compile(self, *tags: TagSpec) -> tuple[OpcUaRequest, ...]:
        points = [self.driver.point(tag, self.connection) for tag in tags]
        return self.driver.compile(self.connection, points)

    async def read(self, *requests: OpcUaRequest) -> Cycle:
        cycle: Cycle = Cycle([None] * sum(len(request.tags) for request in requests))
        for request in requests:
            await self.session.read(request, cycle)
        return cycle

    async def write(self, tag: TagSpec, value: Value) -> None:
        point = self.driver.point(tag, self.connection)
        await self.session.write(self.driver.encode(self.connection, point, value))


@asynccontextmanager
async def talking(driver: OpcUaDriver, judge: Judge, timeout_s: float = 5, **fields: object) -> AsyncIterator[Talk]:
    talk = Talk(driver, judge, timeout_s, **fields)
    talk.session = await driver.connect(talk.connection)
    try:
        yield talk
    finally:
        await talk.session.close()


def tag(address: str, **more: Any) -> TagSpec:
    return TagSpec("tag", address, DataType.FLOAT64, **more)


VALUES: list[tuple[str, object, dict[str, object], Value]] = [
    ("Boolean", True, {}, True),
    ("SByte", -128, {}, -128),
    ("Byte", 255, {}, 255),
    ("Int16", -12345, {}, -12345),
    ("UInt16", 65535, {}, 65535),
    ("Int32", -(2**31), {}, -(2**31)),
    ("UInt32", 2**32 - 1, {}, 2**32 - 1),
    ("Int64", str(-(2**63)), {}, -(2**63)),
    ("UInt64", str(2**64 - 1), {}, 2**64 - 1),
    ("Float", 25.4, {}, 25.4),
    ("Double", 0.1 + 0.2, {}, 0.1 + 0.2),
    ("String", "프레스 3호", {}, "프레스 3호"),
    ("String", None, {}, ""),
    ("DateTime", "2026-04-17T08:00:00.123Z", {}, "2026-04-17T08:00:00.123Z"),
    ("Guid", "09087e75-8e5e-499b-954f-f2a9603db28a", {}, "09087e75-8e5e-499b-954f-f2a9603db28a"),
    ("ByteString", "AAEC/w==", {}, "AAEC/w=="),
    ("LocalizedText", "운전", {}, "운전"),
    ("Int32", 2, {"declared": "ServerState"}, 2),
    ("Float", [1.5, -2.25], {}, [1.5, -2.25]),
    ("String", ["가", "b"], {}, ["가", "b"]),
    ("Boolean", [True, False], {}, [True, False]),
    ("Int32", [], {}, []),
    ("Int16", [[1, 2, 3], [4, 5, 6]], {"dimensions": [2, 3]}, [[1, 2, 3], [4, 5, 6]]),
]


@pytest.mark.parametrize("subscribe", [False, True])
async def test_every_type_as_the_server_has_it(judge: Judge, driver: OpcUaDriver, subscribe: bool) -> None:
    addresses = [judge.add(next(_names), type_, value, **more) for type_, value, more, _ in VALUES]
    async with talking(driver, judge) as talk:
        requests = talk.compile(*(tag(address, subscribe=subscribe) for address in addresses))
        cycle = await talk.read(*requests)
    expected: list[Value | None] = [value for *_, value in VALUES]
    assert cycle == Cycle(expected)
    assert [type(value) for value in cycle.values] == [type(value) for value in expected]


async def test_all_kinds_of_node_ids_are_found(judge: Judge, driver: OpcUaDriver) -> None:
    ids = ["i=4294967295", "s=a;b=c d.한글", "g=72962b91-fa75-4ae6-8d28-b404dc7daf63", "b=M/RbKBsRVkePCePcx24oRA=="]
    addresses = [judge.add(node, "Int32", number) for number, node in enumerate(ids)]
    by_uri = [address.replace("ns=2;", "nsu=urn:judge:plant;") for address in addresses]
    async with talking(driver, judge) as talk:
        cycle = await talk.read(*talk.compile(*map(tag, [*addresses, *by_uri, "i=2259"])))
    assert cycle == Cycle([0, 1, 2, 3, 0, 1, 2, 3, 0])


@pytest.mark.parametrize("subscribe", [False, True])
async def test_a_bad_node_costs_itself_alone(judge: Judge, driver: OpcUaDriver, subscribe: bool) -> None:
    good = judge.add(next(_names), "Int32", 5)
    broken = judge.add(next(_names), "Int32", 5, status="BadSensorFailure")
    away = judge.add(next(_names), "Int32", 5, status="BadNoCommunication")
    doubtful = judge.add(next(_names), "Int32", 5, status="UncertainLastUsableValue")
    nan = judge.add(next(_names), "Double", ["1", "NaN"])
    folder = "i=85"
    asked = [good, "ns=2;s=no such node", broken, doubtful, "nsu=urn:no:such;i=1", folder, away, nan, good]
    async with talking(driver, judge) as talk:
        cycle = await talk.read(*talk.compile(*(tag(address, subscribe=subscribe) for address in asked)))
    assert cycle == Cycle(
        [5, None, None, 5, None, None, None, None, 5],
        {
            1: Quality.BAD_ADDRESS,
            2: Quality.DEVICE_ERROR,
            3: Quality.UNCERTAIN,
            4: Quality.BAD_ADDRESS,
            5: Quality.BAD_ADDRESS,
            6: Quality.DISCONNECTED,
            7: Quality.NOT_A_NUMBER,
        },
    )
    assert cycle.words == {
        1: "BadNodeIdUnknown",
        2: "BadSensorFailure",
        3: "UncertainLastUsableValue",
        4: "the server has no such namespace",
        5: "BadAttributeIdInvalid",
        6: "BadNoCommunication",
        7: "type Double",
    }
    assert str(talk.session.remark).startswith("newest source timestamp 20")


async def test_numbers_are_scaled_and_bits_taken(judge: Judge, driver: OpcUaDriver) -> None:
    word, single = judge.add(next(_names), "UInt16", 254), judge.add(next(_names), "Float", 25.4)
    text, truth = judge.add(next(_names), "String", "x"), judge.add(next(_names), "Boolean", True)
    tenth = {"scale": Decimal("0.1"), "offset": Decimal("-1.1")}
    tags = [
        tag(word, scale=Decimal("0.1")),
        tag(single, **tenth),
        tag(text, **tenth),
        tag(truth, **tenth),
        tag(word, bit=1),
        tag(word, bit=0),
    ]
    async with talking(driver, judge) as talk:
        cycle = await talk.read(*talk.compile(*tags))
    assert cycle == Cycle([25.4, 1.44, "x", True, True, False])


async def test_the_servers_limit_splits_a_request(judge: Judge, driver: OpcUaDriver) -> None:
    addresses = [judge.add(next(_names), "Int32", number) for number in range(20)]
    async with talking(driver, judge) as talk:
        (request,) = talk.compile(*map(tag, addresses))
        assert (await talk.read(request)).values == list(range(20))
        (watched,) = talk.compile(*(tag(address, subscribe=True) for address in addresses))
        assert (await talk.read(watched)).values == list(range(20))


WRITES: list[tuple[str, object, Value, object]] = [
    ("Boolean", False, True, True),
    ("Byte", 0, 255, 255),
    ("Int16", 0, -5, -5),
    ("UInt32", 0, 2**32 - 1, 2**32 - 1),
    ("Float", 0, 25.5, 25.5),
    ("Double", 0, 0.3, 0.3),
    ("String", "", "프레스", "프레스"),
    ("Guid", "00000000-0000-0000-0000-000000000000", "09087E75-8E5E-499B-954F-F2A9603DB28A", "same"),
    ("DateTime", "2020-01-01T00:00:00Z", "2026-04-17T17:00:00+09:00", "2026-04-17T08:00:00.000Z"),
]


@pytest.mark.parametrize(("type_", "before", "value", "after"), WRITES)
async def test_a_write_takes_the_servers_type(
    judge: Judge, driver: OpcUaDriver, type_: str, before: object, value: Value, after: object
) -> None:
    address = judge.add(next(_names), type_, before)
    async with talking(driver, judge) as talk:
        await talk.write(tag(address), value)
    found = judge.order("get", node=address.removeprefix("ns=2;"))
    assert found["type"] == type_
    assert str(found["value"]).upper() == str(value if after == "same" else after).upper()


async def test_a_write_is_scaled_back_and_a_bit_leaves_its_neighbours(judge: Judge, driver: OpcUaDriver) -> None:
    word, floats = judge.add(next(_names), "Int16", -32768), judge.add(next(_names), "Float", [1, 2])
    async with talking(driver, judge) as talk:
        await talk.write(tag(word, bit=0), True)
        assert judge.order("get", node=word[5:])["value"] == -32767
        await talk.write(tag(word, bit=15), False)
        assert judge.order("get", node=word[5:])["value"] == 1
        await talk.write(tag(word, scale=Decimal("0.1"), offset=Decimal(-1)), 24.45)
        assert judge.order("get", node=word[5:])["value"] == 254  # half to even
        await talk.write(tag(floats), [3.5, 4.5])
    assert list(judge.order("get", node=floats[5:])["value"].values()) == [3.5, 4.5]


async def test_what_can_not_be_written_is_refused_and_changes_nothing(judge: Judge, driver: OpcUaDriver) -> None:
    word, fixed = judge.add(next(_names), "Int16", 7), judge.add(next(_names), "Int16", 7, writable=False)
    async with talking(driver, judge) as talk:
        values: list[Value] = [32768, "seven", [1, 2]]
        for value in values:
            with pytest.raises(RequestRefused, match=r"Int16") as caught:
                await talk.write(tag(word), value)
            assert caught.value.quality is Quality.OUT_OF_RANGE
        with pytest.raises(RequestRefused, match=r"BadNotWritable|BadUserAccessDenied"):
            await talk.write(tag(fixed), 8)
        with pytest.raises(RequestRefused, match="BadNodeIdUnknown"):
            await talk.write(tag("ns=2;s=no such node"), 8)
        assert (await talk.read(*talk.compile(tag(word), tag(fixed)))).values == [7, 7]


async def test_browse_tells_names_addresses_and_types(judge: Judge, driver: OpcUaDriver) -> None:
    parent = judge.add("s=parent", "Int32", 0, name="parent")
    children = [judge.add(f"s=child{i}", "Double", i, name=f"센서{i}", below="s=parent") for i in range(12)]
    async with talking(driver, judge) as talk:
        top = await talk.session.browse(None, 5)
        assert ("parent", parent, "variable", "Int32") in [
            (node.name, node.address, node.kind, node.data_type) for node in top
        ]
        below = await talk.session.browse(parse_address(parent), 5)
        assert [(node.name, node.address) for node in below] == [
            (f"센서{i}", address) for i, address in enumerate(children)
        ]
        with pytest.raises(RequestRefused, match="BadNodeIdUnknown") as caught:
            await talk.session.browse(parse_address("ns=2;s=no such node"), 5)
    assert caught.value.quality is Quality.BAD_ADDRESS


async def test_a_subscription_tells_the_newest_and_vouches_for_the_old(judge: Judge, driver: OpcUaDriver) -> None:
    moving, resting = judge.add(next(_names), "Int32", 1), judge.add(next(_names), "Int32", 10)
    async with talking(driver, judge, publishing_interval_ms=50) as talk:
        (request,) = talk.compile(*(tag(each, subscribe=True, interval_ms=50) for each in (moving, resting)))
        assert (await talk.read(request)).values == [1, 10]
        for value in (2, 3, 4):
            judge.order("set", node=moving[5:], value=value)
        assert await _until(talk, request, [4, 10])
        judge.order("set", node=resting[5:], value=11, status="BadSensorFailure")
        assert await _until(talk, request, [4, None])
        assert judge.order("sessions")["subscriptions"] == 1


async def test_a_deadband_keeps_small_changes_back(judge: Judge, driver: OpcUaDriver) -> None:
    number, text = judge.add(next(_names), "Double", 10.0), judge.add(next(_names), "String", "a")
    more: dict[str, Any] = {"subscribe": True, "interval_ms": 20, "deadband": Decimal("0.5"), "scale": Decimal("0.1")}
    async with talking(driver, judge, publishing_interval_ms=20) as talk:
        (request,) = talk.compile(tag(number, **more), tag(text, **more))  # a text has none, and is watched without
        assert (await talk.read(request)).values == [1.0, "a"]
        judge.order("set", node=number[5:], value=14.0)  # 0.4 in engineering units
        judge.order("set", node=text[5:], value="b")
        assert await _until(talk, request, [1.0, "b"])
        judge.order("set", node=number[5:], value=16.0)
        assert await _until(talk, request, [1.6, "b"])


async def test_what_moved_by_the_deadband_exactly_is_told(judge: Judge, driver: OpcUaDriver) -> None:
    count, single = judge.add(next(_names), "Int32", 10), judge.add(next(_names), "Float", 20.1)
    more: dict[str, Any] = {"subscribe": True, "interval_ms": 20}
    async with talking(driver, judge, publishing_interval_ms=20) as talk:
        (request,) = talk.compile(tag(count, deadband=Decimal(1), **more), tag(single, deadband=Decimal("0.1"), **more))
        assert (await talk.read(request)).values == [10, 20.1]
        judge.order("set", node=count[5:], value=11)
        judge.order("set", node=single[5:], value=20.2)
        assert await _until(talk, request, [11, 20.2])


async def test_a_limit_on_watched_nodes_that_the_server_does_not_tell_is_found_out(
    judge: Judge, driver: OpcUaDriver
) -> None:
    addresses = [judge.add(next(_names), "Int32", number) for number in range(20)]
    async with talking(driver, judge) as talk:
        talk.session._feeds._most = 200
        (watched,) = talk.compile(*(tag(address, subscribe=True) for address in addresses))
        assert (await talk.read(watched)).values == list(range(20))


async def test_a_subscription_ends_with_its_request(judge: Judge, driver: OpcUaDriver) -> None:
    node = judge.add(next(_names), "Int32", 1)
    async with talking(driver, judge, publishing_interval_ms=50) as talk:
        for _ in range(3):
            (request,) = talk.compile(tag(node, subscribe=True))
            assert (await talk.read(request)).values == [1]
            del request
        assert judge.order("sessions")["subscriptions"] == 2 - 1


async def _until(talk: Talk, request: OpcUaRequest, values: list[Value | None], within_s: float = 5) -> bool:
    async with asyncio.timeout(within_s):
        while (await talk.read(request)).values != values:
            await asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize("mode", ["Sign", "SignAndEncrypt"])
@pytest.mark.parametrize("policy", POLICIES)
async def test_s15_every_policy_and_mode(judge: Judge, driver: OpcUaDriver, policy: str, mode: str) -> None:
    address = judge.add(next(_names), "Int32", 5)
    async with talking(driver, judge, security_policy=policy, security_mode=mode, **LOGIN) as talk:
        assert not talk.connection.insecure
        assert (await talk.read(*talk.compile(tag(address)))).values == [5]
        await talk.write(tag(address), 6)
        assert (await talk.read(*talk.compile(tag(address)))).values == [6]


async def test_keys_are_renewed_while_values_go_on(
    judge: Judge, driver: OpcUaDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from protocols.opcua import opening, session

    monkeypatch.setattr(opening, "CHANNEL_LIFETIME_MS", 2000)
    monkeypatch.setattr(session, "RENEW_AFTER", 0.1)
    renewed: list[bool] = []
    plain = OpcUaSession._renew

    async def spy(self: OpcUaSession) -> None:
        await plain(self)
        renewed.append(True)

    monkeypatch.setattr(OpcUaSession, "_renew", spy)
    address = judge.add(next(_names), "Int32", 5)
    async with talking(driver, judge, security_policy="Basic256Sha256") as talk:
        while len(renewed) < 2:
            assert (await talk.read(*talk.compile(tag(address)))).values == [5]
            await asyncio.sleep(0.01)
        assert (await talk.read(*talk.compile(tag(address)))).values == [5]


async def test_our_certificate_is_made_once_and_only_for_us(judge: Judge, tmp_path: Path) -> None:
    certificates = set()
    for _ in range(2):
        async with talking(OpcUaDriver(tmp_path), judge, security_policy="Basic256Sha256"):
            certificates.add((tmp_path / "own" / "certificate.der").read_bytes())
    assert len(certificates) == 1
    assert (tmp_path / "own" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    (trusted,) = (tmp_path / "servers").iterdir()
    assert trusted.read_bytes() == judge.certificate


async def test_a_log_in_by_certificate(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    make_certificate(tmp_path / "users" / "line1", "urn:somebody")
    fields: dict[str, Any] = {"security_policy": "Basic256Sha256", "user_certificate": "line1"}
    async with talking(OpcUaDriver(tmp_path), judge, **fields) as talk:
        assert (await talk.read(*talk.compile(tag("i=2259")))).values == [0]
    with pytest.raises(ConnectFailed, match=r"user_certificate line2: expected .*line2\.der"):
        async with talking(OpcUaDriver(tmp_path), judge, **(fields | {"user_certificate": "line2"})):
            pass
    key = serialization.load_pem_private_key((tmp_path / "users" / "line1.key.pem").read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    (tmp_path / "users" / "line1.key.pem").write_bytes(pem)
    with pytest.raises(ConnectFailed, match=r"line1\.key\.pem is protected by a password"):
        async with talking(OpcUaDriver(tmp_path), judge, **fields):
            pass


@pytest.mark.parametrize("policy", ["None", *POLICIES])
async def test_s5_s15_a_wrong_password_is_said_and_never_shown(judge: Judge, driver: OpcUaDriver, policy: str) -> None:
    secret = "pw-canary-wrong"
    with pytest.raises(ConnectFailed, match="refused the log-in: check username and password") as caught:
        async with talking(driver, judge, security_policy=policy, username=USER, password=secret):
            pass
    assert secret not in str(caught.value)
    connection = driver.connection({"host": "h", "username": USER, "password": secret}, 1)
    assert secret not in f"{connection!r} {connection.link} {connection.where}"


async def test_s15_a_pinned_certificate_is_the_only_one_taken(judge: Judge, driver: OpcUaDriver) -> None:
    shown = fingerprint(judge.certificate)
    for policy in ("None", "Basic256Sha256"):
        pinned = ":".join(shown.upper()[at : at + 2] for at in range(0, 64, 2))
        async with talking(driver, judge, security_policy=policy, server_certificate_sha256=pinned):
            pass
        with pytest.raises(ConnectFailed, match=f"^certificate {shown} of .* is not the pinned one"):
            async with talking(driver, judge, security_policy=policy, server_certificate_sha256="0" * 64):
                pass


async def test_without_a_folder_nothing_secured_is_opened(judge: Judge) -> None:
    with pytest.raises(ConnectFailed, match="no folder was given to keep certificates in"):
        async with talking(OpcUaDriver(), judge, security_policy="Basic256Sha256"):
            pass
    async with talking(OpcUaDriver(), judge) as talk:
        assert talk.connection.insecure


async def test_p8_a_session_that_the_server_closed_is_lost_and_a_new_one_works(
    judge: Judge, driver: OpcUaDriver
) -> None:
    address = judge.add(next(_names), "Int32", 5)
    for _ in range(5):
        async with talking(driver, judge) as talk:
            (request,) = talk.compile(tag(address))
            assert (await talk.read(request)).values == [5]
            judge.order("closeSessions")
            for _ in range(2):
                with pytest.raises(SessionLost):
                    await talk.read(request)


@pytest.mark.parametrize("fault", ["silenceSubscriptions", "terminateSubscriptions"])
async def test_p8_a_subscription_that_went_quiet_ends_the_session(
    judge: Judge, driver: OpcUaDriver, fault: str
) -> None:
    address = judge.add(next(_names), "Int32", 5)
    async with talking(driver, judge, publishing_interval_ms=100) as talk:
        (request,) = talk.compile(tag(address, subscribe=True))
        assert (await talk.read(request)).values == [5]
        judge.order(fault)
        judge.order("set", node=address[5:], value=6)
        with pytest.raises(SessionLost, match="subscription was lost"):
            await _until(talk, request, [6], within_s=10)
    async with talking(driver, judge, publishing_interval_ms=100) as talk:
        assert (await talk.read(request)).values == [6]


async def test_p8_too_many_sessions_is_said_and_heals(judge: Judge, driver: OpcUaDriver) -> None:
    held: list[OpcUaSession] = []
    try:
        for _ in range(4):
            held.append(await driver.connect(Talk(driver, judge, 5).connection))  # noqa: PERF401 - closed if one fails
        with pytest.raises(ConnectFailed, match=r"no session left for us.*BadTooManySessions"):
            await driver.connect(Talk(driver, judge, 5).connection)
    finally:
        await held.pop().close()
        async with talking(driver, judge):
            pass
        for session in held:
            await session.close()


async def test_p8_s15_a_changed_certificate_is_refused_until_it_is_trusted(tmp_path: Path) -> None:
    driver = OpcUaDriver(tmp_path / "opcua")
    with Judge(tmp_path) as judge:
        judge.start()
        async with talking(driver, judge, security_policy="Basic256Sha256"):
            pass
        old = fingerprint(judge.certificate)
        judge.stop()
        judge.renew_certificate()
        judge.start()
        new = fingerprint(judge.certificate)
        relying: list[dict[str, Any]] = [{"security_policy": "Basic256Sha256"}, LOGIN]
        for fields in relying:
            with pytest.raises(
                ConnectFailed, match=f"^certificate {new} of .* is not the one trusted at first use: that is {old}"
            ) as caught:
                async with talking(driver, judge, **fields):
                    pass
            assert "delete" in str(caught.value)
            assert new in str(caught.value)[: MAX_TEXTS[0] - 1]  # as much as a status shows
        async with talking(driver, judge):
            pass  # nobody relies on the certificate
        async with talking(driver, judge, security_policy="Basic256Sha256", server_certificate_sha256=new):
            pass
        (tmp_path / "opcua" / "servers" / f"127.0.0.1_{judge.port}.der").unlink()
        async with talking(driver, judge, security_policy="Basic256Sha256"):
            pass


async def test_p8_server_restarts_leave_nothing_behind() -> None:
    device, driver = OpcUaDevice(), OpcUaDriver()
    await device.start()
    connection = driver.connection({"host": "127.0.0.1", "port": device.port}, 5)
    (request,) = driver.compile(connection, [driver.point(tag("ns=2;i=1"), connection)])
    before = 0
    for restart in range(RESTARTS):
        session = await driver.connect(connection)
        device.words[1] = restart
        cycle: Cycle = Cycle([None])
        await session.read(request, cycle)
        assert cycle == Cycle([restart])
        await device.stop()
        with pytest.raises(SessionLost):
            await session.read(request, cycle)
        await session.close()
        await device.start()
        before = before or _left_behind()
    await device.stop()
    assert _left_behind() <= before


def _left_behind() -> int:
    return len(os.listdir("/proc/self/fd")) + len(asyncio.all_tasks())  # noqa: PTH208
