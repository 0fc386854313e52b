"""What a Modbus session does whatever it speaks through."""

from protocols.base import Cycle
from protocols.dialogue import TimedDialogue
from protocols.modbus.question import Question
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.writes import ModbusWrite


class ModbusSession(TimedDialogue[Question]):
    """A connection, of which a subclass knows the frames."""

    async def read(self, request: ModbusRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        request.decoder.decode(await self._ask(request.question), cycle)

    async def write(self, write: ModbusWrite) -> None:
        """Carry out one write; see `protocols.base.Session.write`."""
        order = write.order
        if write.patch:
            order = write.onto(write.patch, await self._ask(write.patch.before))
        await self._ask(order)
