"""What those who started this process are told of it: systemd by sd_notify(3), a container's engine by a file.

Silent where nobody asked to be told.
"""

import os
import socket
from collections.abc import Mapping

from collector.clock import SystemClock
from collector.status.life_sign import PATIENCE_S, LifeSign, alive_file

_USEC = 1_000_000


class ServiceManager:
    """Speaks to the socket that `NOTIFY_SOCKET` names, and renews the file that `ALIVE_FILE` names.

    `watchdog_s` is how long the process may be silent before it is restarted; None where nobody watches.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        file = alive_file(environ)
        self._life_sign = LifeSign(file, SystemClock().monotonic) if file else None
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / _USEC if self._address and ours and usec.isdecimal() and int(usec) else None
        if self._life_sign is not None:
            self.watchdog_s = min(self.watchdog_s or PATIENCE_S, PATIENCE_S)

    def ready(self) -> None:
        """The start is over."""
        self._say("READY=1")

    def alive(self) -> None:
        """All that must live does."""
        self._say("WATCHDOG=1")
        if self._life_sign is not None:
            self._life_sign.renew()

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")
        if self._life_sign is not None:
            self._life_sign.end()

    def _say(self, word: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
            try:
                out.sendto(word.encode(), self._address)
            except OSError:
                return  # a service manager that does not listen will draw its own conclusion
