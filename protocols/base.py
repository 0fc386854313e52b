"""The vocabulary every driver speaks. A driver is stateless; a session is one live connection, owned by one lane.

The way of a value: a document's tag becomes a `TagSpec`; the driver places it (`Driver.point`) and packs the
points of one poll into as few requests as it can (`Driver.compile`); a lane lets the session carry out each
request (`Session.read`), which writes values and qualities into the lane's `Cycle`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

from protocols.quality import Quality

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | list["Value"]


class DataType(StrEnum):
    """What the bytes of a tag mean."""

    BOOL = "BOOL"
    INT8 = "INT8"
    UINT8 = "UINT8"
    INT16 = "INT16"
    UINT16 = "UINT16"
    INT32 = "INT32"
    UINT32 = "UINT32"
    INT64 = "INT64"
    UINT64 = "UINT64"
    FLOAT32 = "FLOAT32"
    FLOAT64 = "FLOAT64"
    STRING = "STRING"
    BCD16 = "BCD16"
    BCD32 = "BCD32"
    CHAR = "CHAR"
    WSTRING = "WSTRING"
    TIME = "TIME"
    S5TIME = "S5TIME"
    DATE = "DATE"
    TIME_OF_DAY = "TIME_OF_DAY"
    DATE_AND_TIME = "DATE_AND_TIME"
    DTL = "DTL"


S7_TYPES = frozenset(
    {
        DataType.CHAR,
        DataType.WSTRING,
        DataType.TIME,
        DataType.S5TIME,
        DataType.DATE,
        DataType.TIME_OF_DAY,
        DataType.DATE_AND_TIME,
        DataType.DTL,
    }
)
"""The types that only Siemens S7 has."""


class ByteOrder(StrEnum):
    """The orders a document can name: four in words, four in letters.

    On protocols that are big-endian with the high word first the words equal the letters in this order: ABCD,
    DCBA, BADC, CDAB. Elsewhere the words mean the protocol's own order and only the letters force one.
    """

    BIG_ENDIAN = "BIG_ENDIAN"
    LITTLE_ENDIAN = "LITTLE_ENDIAN"
    BIG_ENDIAN_SWAP = "BIG_ENDIAN_SWAP"
    LITTLE_ENDIAN_SWAP = "LITTLE_ENDIAN_SWAP"
    ABCD = "ABCD"
    DCBA = "DCBA"
    BADC = "BADC"
    CDAB = "CDAB"


class Register(StrEnum):
    """Modbus's four tables, for tags whose address is a bare zero-based number."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A tag as a driver needs to know it: checked, with every default filled in.

    `length` is the bytes of a STRING or the elements of an array; `bit` is 0 (least) to 15; `address` is as the
    document has it, trimmed.
    """

    name: str
    address: str
    data_type: DataType
    byte_order: ByteOrder = ByteOrder.BIG_ENDIAN
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    length: int | None = None
    bit: int | None = None
    register: Register | None = None
    encoding: str = "utf-8"
    subscribe: bool = False
    deadband: Decimal | None = None
    interval_ms: int = 1000


class Connection(Protocol):
    """Where a device is and how to speak to it, checked. Frozen; equal when nothing about it changed."""

    @property
    def link(self) -> tuple[str | int, ...]:
        """Names the wire: devices with equal links share one session and take turns, e.g. (modbus_tcp, host, port)."""
        ...

    @property
    def host(self) -> str | None:
        """The name or address it dials; None for what has none, as a serial line."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long one answer may take."""
        ...

    @property
    def where(self) -> str:
        """For messages: ``192.168.1.10:2004 unit 1``."""
        ...


class Point(Protocol):
    """A tag that has found its place in a protocol: address parsed, type and order resolved. Frozen."""


class Request(Protocol):
    """One question to a device; only its driver looks inside."""

    @property
    def tags(self) -> tuple[int, ...]:
        """Which tags it answers: positions in the sequence given to `Driver.compile`, in address order."""
        ...

    @property
    def subject(self) -> str:
        """For messages: ``holding registers 40001-40125 of unit 1``."""
        ...


class Write(Protocol):
    """One write, encoded and ready to be carried out; only its driver looks inside. Frozen."""

    @property
    def subject(self) -> str:
        """For messages: ``holding register 40001 of unit 1``."""
        ...


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a device has taught about its address space, as tag positions.

    No request touches an address of a tag in `avoid`, not even to bridge a gap; a tag in `breaks` is never in
    one request with the tag before it.
    """

    avoid: frozenset[int] = frozenset()
    breaks: frozenset[int] = frozenset()


NO_LESSONS = Lessons()


@dataclass(slots=True)
class Cycle:
    """What one poll cycle of one device has gathered so far: a value or None a tag, and why not where not.

    `words` are the device's own for what is in `bad`, where it has any: ``BadNodeIdUnknown``.
    """

    values: list[Value | None]
    bad: dict[int, Quality] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict, compare=False)


ConnectionT = TypeVar("ConnectionT", bound=Connection)
PointT = TypeVar("PointT", bound=Point)
RequestT = TypeVar("RequestT", bound=Request)
RequestT_contra = TypeVar("RequestT_contra", bound=Request, contravariant=True)
WriteT = TypeVar("WriteT", bound=Write)
WriteT_contra = TypeVar("WriteT_contra", bound=Write, contravariant=True)


class Session(Protocol[RequestT_contra, WriteT_contra]):
    """One live connection. Used by one task at a time; after a `SessionError` it is closed and dropped."""

    async def read(self, request: RequestT_contra, cycle: Cycle) -> None:
        """Ask, wait, check that the answer is the answer to this request, and write it into `cycle`.

        Raises `RequestRefused` (session lives on) or `SessionError` (session is over). Safe to cancel: a later
        answer to a cancelled request is recognised and thrown away.
        """
        ...

    async def write(self, write: WriteT_contra) -> None:
        """Carry out a write once and wait for the device's word; a bit inside a word is read-modify-write.

        Raises `RequestRefused` (the device said no) or `SessionError` (whether it was carried out is not known). It is
        never repeated here: a late write is worse than a lost one.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection. Never raises, never takes over a second, may be called twice."""
        ...


@runtime_checkable
class Remarking(Protocol):
    """A session of a protocol whose answers also tell how the device itself does, or a connection with a doubt."""

    @property
    def remark(self) -> str | None:
        """What the device last said of itself, ``PLC in RUN``, or what is doubtful about it; None for nothing."""
        ...


@runtime_checkable
class Negotiated(Protocol):
    """A session whose device granted limits of its own when it was opened."""

    def granted(self, connection: Connection) -> Connection:
        """`connection` with the limits that hold in this session: what requests are best compiled for."""
        ...


@runtime_checkable
class Checking(Protocol):
    """A session whose device alone knows of what type a tag is, so that it has to be asked whether a value fits."""

    async def check(self, write: Write) -> None:
        """Whether the device's type holds what is to be written; nothing is written.

        Raises `RequestRefused` (``out_of_range`` for a value that does not fit) or `SessionError`.
        """
        ...


@runtime_checkable
class Probing(Protocol):
    """A driver that can find out whether its protocol is spoken at all, by a question that changes nothing."""

    @property
    def probe_address(self) -> str | None:
        """A 16-bit word that every device answers for, be it with a refusal; None where an open session is proof."""
        ...


class Driver(Protocol[ConnectionT, PointT, RequestT, WriteT]):
    """A protocol. Stateless, so one instance serves every device."""

    protocol: str
    default_port: int | None

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ConnectionT:
        """Check a document's `connection` object (null and blank are absent). Raises `Refused`."""
        ...

    def fits(self, address: str) -> bool:
        """Whether the address is one of this protocol's grammar, for devices that name no protocol."""
        ...

    def point(self, tag: TagSpec, connection: ConnectionT) -> PointT:
        """Place a tag. Raises `Refused` naming the tag's field and what is expected. Pure."""
        ...

    def compile(
        self, connection: ConnectionT, points: Sequence[PointT], lessons: Lessons = NO_LESSONS
    ) -> tuple[RequestT, ...]:
        """The fewest requests that read all points but those in `lessons.avoid`. Pure."""
        ...

    def encode(self, connection: ConnectionT, point: PointT, value: Value) -> WriteT:
        """What is to be written so that the tag reads `value` (engineering units): raw = round-half-even((value -
        offset) / scale) in the tag's type and byte order. Raises `Unwritable`. Pure."""
        ...

    async def connect(self, connection: ConnectionT) -> Session[RequestT, WriteT]:
        """Open a session within `connection.timeout_s`. Raises `ConnectFailed`. Safe to cancel."""
        ...


PlcDriver: TypeAlias = Driver[Connection, Point, Request, Write]
"""A driver as its users see it: its own connection, point and request types are its own business."""

PlcSession: TypeAlias = Session[Request, Write]
"""A session as its users see it."""
