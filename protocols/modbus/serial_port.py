"""A serial port as an asyncio transport, on systems with POSIX terminals."""

import asyncio
import contextlib
import errno
import os
import termios
import threading
from pathlib import Path

import serial

from protocols.errors import ConnectFailed
from protocols.modbus.connection import SerialLine

_READ_SIZE = 4096
_TERMINALS = Path("/sys/class/tty")
_PSEUDO_TERMINALS = Path("/dev/pts")


async def open_port(line: SerialLine, timeout_s: float, protocol: asyncio.Protocol) -> None:
    """Open a port for `protocol` alone within `timeout_s`. Raises `ConnectFailed`. Safe to cancel."""
    try:
        async with asyncio.timeout(timeout_s):
            port = await _opened(line)
    except TimeoutError:
        raise ConnectFailed(f"{line.port} could not be opened within {timeout_s:g} s") from None
    protocol.connection_made(SerialTransport(port, protocol))


class SerialTransport(asyncio.Transport):
    """Reads and writes without blocking; whatever breaks the port is told to the protocol at once."""

    def __init__(self, port: serial.Serial, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._port = port
        self._fd: int = port.fileno()
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._closed = False
        self._loop.add_reader(self._fd, self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, at once as far as the port takes it."""
        if self._closed:
            return
        self._unsent += data
        self._send()

    def abort(self) -> None:
        """Close now; what was not sent is dropped, for a line that hangs would hold up the close for seconds."""
        self._shut(None)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closed

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._shut(error)
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._shut(OSError(errno.ENODEV, "the serial port is gone"))

    def _send(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._shut(error)
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._send)
        else:
            self._loop.remove_writer(self._fd)

    def _shut(self, error: OSError | None) -> None:
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        _let_go(self._port)
        self._loop.call_soon(self._protocol.connection_lost, error)


async def _opened(line: SerialLine) -> serial.Serial:
    """In a thread of its own that nobody waits for: an adapter that hangs must not hold up the loop or the exit."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[serial.Serial] = loop.create_future()

    def settle(port: serial.Serial | None, failure: ConnectFailed | None) -> None:
        if failure and not opened.done():
            opened.set_exception(failure)
        elif port and not opened.done():
            opened.set_result(port)
        elif port:
            _let_go(port)

    def work() -> None:
        port, failure = None, None
        try:
            port = _open(line)
        except ConnectFailed as error:
            failure = error
        try:
            loop.call_soon_threadsafe(settle, port, failure)
        except RuntimeError:  # the loop is closed: nobody waits any more
            if port:
                _let_go(port)

    threading.Thread(target=work, name=f"open {line.port}", daemon=True).start()
    return await opened


def _open(line: SerialLine) -> serial.Serial:
    _check_terminal(line.port)
    try:
        port = serial.Serial(
            line.port,
            baudrate=line.baudrate,
            bytesize=serial.EIGHTBITS,
            parity=line.parity,
            stopbits=line.stopbits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
        port.reset_input_buffer()
    except (OSError, ValueError, termios.error) as error:
        raise ConnectFailed(_why(error, line)) from None
    return port


def _check_terminal(port: str) -> None:
    """To open a device can be an act, such as to start a watchdog: only terminals are opened."""
    real = Path(os.path.realpath(port))
    known = not _TERMINALS.is_dir() or real.parent == _PSEUDO_TERMINALS or (_TERMINALS / real.name).exists()
    if real.exists() and not known:
        raise ConnectFailed(f"{port} is no serial port of this machine")


def _why(error: Exception, line: SerialLine) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT:
        return f"{line.port} does not exist: is the adapter plugged in, and given to the container?"
    if number in (errno.EACCES, errno.EPERM):
        return f"{line.port} may not be opened by this user; it is usually the group dialout that may"
    if number in (errno.EAGAIN, errno.EBUSY):
        return f"{line.port} is in use by another program, or by a device of this collector with other serial settings"
    if number in (errno.ENXIO, errno.ENODEV, errno.EIO):
        return f"{line.port} has no working hardware behind it ({os.strerror(number)})"
    settings = f"{line.baudrate} baud, 8{line.parity}{line.stopbits}"
    return f"{line.port} could not be set to {settings}: {error}"


def _let_go(port: serial.Serial) -> None:
    with contextlib.suppress(
        OSError, termios.error
    ):  # an adapter that was pulled out: there is nothing left to let go of
        port.reset_output_buffer()
    with contextlib.suppress(OSError):
        port.close()
