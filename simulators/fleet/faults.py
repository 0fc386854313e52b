"""What can be wrong with a Fleet server."""

import asyncio
import time
from dataclasses import dataclass, replace
from email.utils import formatdate

from simulators.http import HttpResponse
from simulators.switchboard import Switchboard

_LOGIN_PAGE = "<!doctype html><html><body><h1>로그인</h1>Please log in.</body></html>".encode()


@dataclass
class HttpFaults(Switchboard):
    """Set a field to switch a fault on: ``fleet.faults.status = 500``. `clear` heals everything.

    All but `down` concern the config paths only, so that rows and latest values can be asked for meanwhile.

    ============  ===============================================================
    down          connections are refused, open ones broken
    hang          the request is taken, no answer ever comes
    slow_s        the answer takes so many seconds more
    drip_s        the body comes a byte at a time, so many seconds apart
    status        this status code, with a JSON error
    redirect      302 to this address
    html          a login page with status 200
    half_json     the document is cut in the middle, in a well-formed answer
    cut_off       the connection breaks in the middle of the body
    body          this text in place of the document
    no_etag       the document without an ETag
    not_modified  304 whatever was asked
    clock_off_s   the Date header is so many seconds ahead (behind)
    ============  ===============================================================
    """

    down: bool = False
    hang: bool = False
    slow_s: float = 0.0
    drip_s: float = 0.0
    status: int | None = None
    redirect: str | None = None
    html: bool = False
    half_json: bool = False
    cut_off: bool = False
    body: str | None = None
    no_etag: bool = False
    not_modified: bool = False
    clock_off_s: float = 0.0

    async def spoil(self, response: HttpResponse) -> HttpResponse:
        """The answer that goes out in place of the good one."""
        if self.hang:
            await asyncio.Event().wait()
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        response = self._replaced(response)
        headers = dict(response.headers)
        if self.no_etag:
            headers.pop("ETag", None)
        if self.clock_off_s:
            headers["Date"] = formatdate(time.time() + self.clock_off_s, usegmt=True)
        body_sent = len(response.body) // 2 if self.cut_off else None
        return replace(response, headers=headers, body_sent=body_sent, drip_s=self.drip_s)

    def _replaced(self, response: HttpResponse) -> HttpResponse:
        if self.status is not None:
            return HttpResponse(self.status, b'{"error": "as asked for"}', {"Content-Type": "application/json"})
        if self.redirect is not None:
            return HttpResponse(302, b"", {"Location": self.redirect})
        if self.not_modified:
            return HttpResponse(304)
        if self.html:
            return HttpResponse(200, _LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})
        if self.body is not None:
            return HttpResponse(200, self.body.encode(), {"Content-Type": "application/json"})
        if self.half_json:
            return replace(response, body=response.body[: len(response.body) // 2])
        return response
