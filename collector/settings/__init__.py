"""What the environment says: read, checked and typed once, at the start."""

from collector.settings.loading import load_settings
from collector.settings.model import Settings
from collector.settings.problems import Problem, SettingsError
from collector.settings.urls import BrokerUrl, ServerUrl
from collector.settings.values import HostPort

__all__ = ["BrokerUrl", "HostPort", "Problem", "ServerUrl", "Settings", "SettingsError", "load_settings"]
