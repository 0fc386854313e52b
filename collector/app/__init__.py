"""The one composition root: what is started, in which order, and how it unwinds."""

from collector.app.composition import collecting, run
from collector.app.configuring import config_source, plan_options
from collector.app.devices import log_change
from collector.app.site import Collector

__all__ = ["Collector", "collecting", "config_source", "log_change", "plan_options", "run"]
