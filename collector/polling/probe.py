"""Of a device that never answered, where its port is known for another protocol: whether that one is spoken."""

import asyncio
from collections.abc import Callable

from collector.config.plan import DevicePlan
from collector.polling.group import STUCK_AFTER_TIMEOUTS
from protocols.base import Connection, Cycle, DataType, PlcDriver, PlcSession, Probing, TagSpec
from protocols.errors import ConnectFailed, RequestRefused, SessionError

DriverOf = Callable[[str], PlcDriver]


class ProtocolProbe:
    """Asks once a link, read-only, by a session of its own. Whoever calls has no session open there."""

    def __init__(self, driver_of: DriverOf) -> None:
        self._driver_of = driver_of
        self._settled = False
        self._finding: str | None = None

    def needless(self) -> None:
        """A device on the link has answered in the protocol of its addresses."""
        self._settled, self._finding = True, None

    async def finding(self, plan: DevicePlan, error: SessionError) -> str | None:
        """What the device that failed with `error` answers as and what to set; None where that is not known.

        Where neither the device nor the probe found anybody there nothing was asked, and the probe is made again.
        """
        doubt = plan.doubt
        if doubt is None or doubt.connection is None:
            return None
        if not self._settled:
            self._settled = True
            try:
                if await _speaks(self._driver_of(doubt.protocol), doubt.connection):
                    self._finding = (
                        f"{doubt.connection.where} answers as {doubt.protocol}, not as {plan.protocol}: "
                        f"set connection.protocol to {doubt.protocol} and use its addresses"
                    )
            except ConnectFailed:
                self._settled = not isinstance(error, ConnectFailed)
        return self._finding


async def _speaks(driver: PlcDriver, connection: Connection) -> bool:
    """Whether the driver is understood there. Raises `ConnectFailed`."""
    if not isinstance(driver, Probing):
        return False
    try:
        async with asyncio.timeout(STUCK_AFTER_TIMEOUTS * connection.timeout_s):
            session = await driver.connect(connection)
            try:
                await _ask(driver, connection, session, driver.probe_address)
            finally:
                await session.close()
    except RequestRefused:
        return True
    except ConnectFailed:
        raise
    except (SessionError, TimeoutError):
        return False
    return True


async def _ask(driver: PlcDriver, connection: Connection, session: PlcSession, address: str | None) -> None:
    if address is None:
        return
    point = driver.point(TagSpec("probe", address, DataType.UINT16), connection)
    for request in driver.compile(connection, [point]):
        await session.read(request, Cycle([None]))
