"""A document that is applied, and one that is not to be applied for now."""

from dataclasses import dataclass

from collector.config.plan import Plan


@dataclass(frozen=True, slots=True)
class InForce:
    """A document as it came, what names it at the server, and the plan made of it."""

    body: bytes
    sha256: str
    etag: str | None
    edge_id: str
    path: str
    plan: Plan

    @property
    def tag(self) -> str | None:
        """What names it at the server: its ETag, else its version in quotes."""
        if self.etag is not None:
            return self.etag
        return f'"{self.plan.version}"' if self.plan.version is not None else None
