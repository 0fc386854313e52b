"""What the tap understands of MQTT, however the bytes are cut."""

from hypothesis import given
from hypothesis import strategies as st

from tests.judge.records import Id
from tests.judge.tap import Tap

CONNACK = bytes([0x20, 2, 0, 0])


def publish(packet_id: int, sample: int, seq: int, filler: int = 0) -> bytes:
    payload = b'{"tags":{"sample":%d,"f":"%s"},"meta":{"epoch":"a1","seq":%d}}' % (sample, b"x" * filler, seq)
    body = len(b"t").to_bytes(2) + b"t" + packet_id.to_bytes(2) + payload
    size = bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) if len(body) > 127 else bytes([len(body)])
    return b"\x32" + size + body


def puback(packet_id: int, reason: int | None = None) -> bytes:
    body = packet_id.to_bytes(2) + (b"" if reason is None else bytes([reason]))
    return bytes([0x40, len(body)]) + body


UP = publish(1, 101, 1) + publish(2, 102, 2, filler=300) + publish(3, 103, 3)
DOWN = CONNACK + puback(1) + puback(2, 0x10) + puback(3, 0x97)


@given(st.lists(st.integers(1, 40)), st.booleans())
def test_pubacks_are_noted_however_the_stream_is_cut(sizes: list[int], swallows: bool) -> None:
    tap, passed_up, passed_down = Tap(), b"", b""
    tap.swallows_pubacks_up_to = int(swallows)
    for piece in _cut(UP, sizes):
        passed_up += tap.upward(1, piece)
    for piece in _cut(DOWN, sizes):
        passed_down += tap.downward(1, piece)
    assert tap.acknowledged == {Id.of("a1", 1): 101, Id.of("a1", 2): 102}
    assert passed_up == UP
    assert passed_down == (CONNACK if swallows else DOWN)


def test_a_repetition_counts_on_one_connection_and_not_on_the_next() -> None:
    tap = Tap()
    tap.upward(1, publish(1, 101, 1))
    tap.upward(2, publish(1, 101, 1))
    assert tap.repeated == 0
    tap.upward(2, publish(2, 101, 1))
    assert tap.repeated == 1


def _cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [*pieces, stream]
