"""The one composition root: what is started, in which order, and how it unwinds."""

from collector.app.composition import collecting, config_source, log_change, plan_options, run
from collector.app.site import Collector

__all__ = ["Collector", "collecting", "config_source", "log_change", "plan_options", "run"]
