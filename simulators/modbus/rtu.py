"""What goes over a serial line: unit, function code, data, and a checksum, with silence in between."""

import asyncio

from simulators.line import FrameError
from simulators.modbus.frames import Frame

_FIXED = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8}
_COUNTED = (15, 16)
_SILENCE_S = 0.02
_FRAME_S = 0.5


def crc16(data: bytes) -> int:
    """The checksum of the specification, bit by bit as it is told there."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            odd = register & 1
            register >>= 1
            if odd:
                register ^= 0xA001
    return register


class RtuFraming:
    """Modbus RTU, on a serial line or passed on over TCP as it is."""

    forgiving = True
    absent_units_answer = False

    async def read(self, reader: asyncio.StreamReader) -> Frame:
        """The next frame. What is none is thrown away up to the next silence, as a PLC does."""
        data = await reader.readexactly(1)
        try:
            async with asyncio.timeout(_FRAME_S):
                data += await self._after_unit(reader)
        except TimeoutError:
            raise FrameError("a frame that was never ended") from None
        if len(data) < 4 or crc16(data[:-2]) != int.from_bytes(data[-2:], "little"):
            await self._rest(reader)
            raise FrameError(f"no frame: {data.hex(' ')}")
        return Frame(0, data[0], data[1:-2])

    def encode(self, frame: Frame, *, extra_length: int = 0, wrong_checksum: bool = False) -> bytes:
        """As it goes on the wire; it has no length that could lie."""
        data = bytes((frame.unit,)) + frame.pdu
        return data + (crc16(data) ^ wrong_checksum).to_bytes(2, "little")

    async def _after_unit(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.readexactly(1)
        function = data[0]
        if function in _FIXED:
            return data + await reader.readexactly(_FIXED[function] - 2)
        if function in _COUNTED:
            data += await reader.readexactly(5)
            return data + await reader.readexactly(data[5] + 2)
        return data + await self._rest(reader)

    async def _rest(self, reader: asyncio.StreamReader) -> bytes:
        """What comes before the next silence."""
        rest = b""
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    more = await reader.read(256)
            except TimeoutError:
                return rest
            if not more:
                return rest
            rest += more
