"""What else happens when a device changes its condition."""

import gc
from collections.abc import Callable

import structlog

from collector.status.board import DeviceCondition, DeviceState

log = structlog.get_logger()


def freezing_at_first_sight() -> Callable[[DeviceState], None]:
    """Keep what lives on out of full garbage collections, which would hold up the loop for longer than it may stand.

    That is the plan, and once a device is online its driver's library. Only the first time that it is: what is
    garbage at that moment stays for good.
    """
    seen: set[str] = set()

    def freeze(device: DeviceState) -> None:
        if device.condition is DeviceCondition.ONLINE and device.id not in seen:
            seen.add(device.id)
            gc.freeze()

    return freeze


def log_change(device: DeviceState) -> None:
    """A line when a device changes its condition."""
    if device.condition in (DeviceCondition.ONLINE, DeviceCondition.PAUSED, DeviceCondition.DISABLED):
        log.info(f"device is {device.condition}", device=device.name, id=device.id, _thing="device")
    else:
        log.warning(
            f"device is {device.condition}", device=device.name, id=device.id, reason=device.error, _thing="device"
        )
