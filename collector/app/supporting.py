"""What a support bundle tells of a running collector."""

from dataclasses import asdict

import orjson

from collector.app.site import Site
from collector.commands.about import about
from collector.commands.support import Sources
from collector.config.sync import ConfigSync
from collector.status.heartbeat import Heartbeat
from collector.status.logs import LEVELS
from collector.status.recent import MAX_LINES
from fleet_client.status import heartbeat

_ALL_LEVELS = frozenset(level.lower() for level in LEVELS)


def support_sources(site: Site, beat: Heartbeat, sync: ConfigSync) -> Sources:
    """Each part where it is, the most telling first."""

    def status(*, all_devices: bool) -> dict[str, object]:
        found: dict[str, object] = orjson.loads(heartbeat(beat.fields(all_devices=all_devices)))
        return found

    return Sources(
        about=lambda: about(site.address.edge_id, site.clock),
        parts={
            "status": lambda: status(all_devices=False),
            "broker": lambda: asdict(site.board.broker),
            "settings": site.settings.shown,
            "devices": lambda: status(all_devices=True)["devices"],
        },
        lines=lambda: [line.text for line in reversed(site.lines.newest(MAX_LINES, _ALL_LEVELS))],
        document=lambda: sync.in_force.body if sync.in_force else None,
        secrets=site.settings.secrets,
    )
