"""The edge collector: polls the PLCs of a factory hall, publishes by MQTT, keeps what can not be sent."""

__version__ = "0.1.0"

BUILT_MS = 1_767_225_600_000
"""2026-01-01 UTC, the year this version is of: a wall clock that says less is wrong."""
