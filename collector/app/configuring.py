"""Where the document comes from, and what becomes of it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial

from collector.app.site import Collector, Site
from collector.config.plan import Plan
from collector.config.planner import PlanOptions
from collector.config.source import ConfigSource
from collector.config.sync import ConfigSync
from collector.crashpoint import CrashPoint, passing
from collector.delivery.publisher import Publisher
from collector.lean import without
from collector.polling.supervisor import Supervisor
from collector.settings import Settings
from collector.settings.environment import file_variables, renewed_secret
from collector.status.insecure import show_insecure
from fleet_client.copies import DocumentStore


def config_sync(
    site: Site, source: ConfigSource, supervisor: Supervisor, publisher: Publisher, collector: Collector
) -> ConfigSync:
    """Plans what `source` gives, hands it to all who follow a plan, and rolls back what silences the edge."""
    settings, board = site.settings, site.board

    def apply(plan: Plan) -> None:
        for follow in collector.on_plan:
            follow(plan)
        supervisor.apply(plan)
        show_insecure(board, settings, (device.connection for device in plan.devices))

    show_insecure(board, settings, ())
    return ConfigSync(
        source,
        DocumentStore(settings.data_dir / "config", on_half=partial(passing, CrashPoint.IN_CONFIG_WRITE)),
        plan_options(settings),
        apply,
        fixed_id=settings.edge_id_fixed,
        interval_s=settings.config_sync_interval_sec,
        clock=site.clock,
        board=board,
        probation_s=settings.config_probation_sec,
        on_other_spelling=publisher.renew,
        on_server_time=collector.clock_watch.heard,
        tell=partial(site.tell, collector.outbox),
    )


@asynccontextmanager
async def config_source(settings: Settings, hide: Callable[[str], None] | None = None) -> AsyncIterator[ConfigSource]:
    """The Fleet server or the file that the settings name; `hide` is told each token that its file comes to have."""
    if settings.edge_config_file is not None and settings.edge_config_source == "file":
        from collector.config.file import FileSource

        file = FileSource(settings.edge_config_file, settings.edge_id, file_variables(settings.env_file, os.environ))
        with closing(file):
            yield file
        return
    assert settings.edge_server_url is not None  # noqa: S101 - the settings insist on it for every other source
    with without("click"):  # which httpx has for a command of its own, and rich and pygments with it
        from collector.config.api import ApiSource  # httpx is loaded only where a server is the source
    token = settings.edge_api_token
    async with ApiSource(
        settings.edge_server_url.base,
        settings.edge_id,
        token=token.get_secret_value() if token else None,
        ca_file=settings.edge_api_ca_file,
        trust_env=settings.trust_env,
        fixed_id=settings.edge_id_fixed,
    ) as client:
        client.renewed_token = partial(renewed_secret, settings.secret_files.get("EDGE_API_TOKEN"), hide)
        yield client


def plan_options(settings: Settings) -> PlanOptions:
    """What the settings say about planning."""
    return PlanOptions(
        edge_id=settings.edge_id,
        plc_ethernet=settings.plc_ethernet,
        string_encoding=settings.string_encoding,
        device_networks=settings.device_networks,
    )
