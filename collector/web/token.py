"""The token that opens the page from elsewhere, and what may be changed on it."""

import hmac
import os
import secrets
from pathlib import Path

COOKIE = "edge_page"
FILE = "http_token"
_PURPOSE = b"edge-collector page"


class Token:
    """`HTTP_TOKEN`, else what is in `DATA_DIR/http_token`. As long as there is neither, nothing opens."""

    def __init__(self, setting: str | None, data_dir: Path) -> None:
        self._token = setting
        self._file = data_dir / FILE

    def needed(self) -> str:
        """The token; made and kept, for the owner's eyes only, if there is none yet. Raises `OSError`."""
        self._token = self._token or self._kept() or self._made()
        return self._token

    def fits(self, offered: str) -> bool:
        """Whether this is the token."""
        known = self.known()
        return known is not None and hmac.compare_digest(offered.encode(), known.encode())

    def fits_cookie(self, offered: str) -> bool:
        """Whether this is what a browser that logged in was given."""
        known = self.known()
        return known is not None and hmac.compare_digest(offered.encode(), _seal(known).encode())

    def cookie(self) -> str:
        """What a browser is given in place of the token. Raises `OSError`."""
        return _seal(self.needed())

    def known(self) -> str | None:
        """The token, if there is one yet."""
        self._token = self._token or self._kept()
        return self._token

    def _kept(self) -> str | None:
        try:
            return self._file.read_text(encoding="ascii").strip() or None
        except (OSError, ValueError):
            return None

    def _made(self) -> str:
        token = secrets.token_urlsafe(24)
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._file.with_name(f"{FILE}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        try:
            self._file.hardlink_to(fresh)  # never over one that another process made meanwhile
        except FileExistsError:
            return self._kept() or token
        finally:
            fresh.unlink()
        return token


def _seal(token: str) -> str:
    return hmac.new(token.encode(), _PURPOSE, "sha256").hexdigest()
