"""The bodies of the events topic: ``{"type": …, "timestamp": …, …}``. Stamps are ISO 8601 in UTC.

- ``gap`` (`epoch`, `from_seq`, `to_seq`, `count`, `from`, `to`, `reason`): these data messages will never come.
- ``restart`` (`previous_epoch`, `last_recorded_seq`): the collector is back after a stop that was not clean.
- ``alarm`` (`device_id`, `tag`, `level`, `state`, `value`, `limit`, `since`): a limit was passed, or is no longer, or
  somebody has seen it; of a device that is away without `tag`, `value` and `limit`.
- ``drained`` (`epoch`, `to_seq`): everything up to this one that had waited is acknowledged.
"""

from collections.abc import Mapping

from fleet_client.encoding import encoded


def event_body(kind: str, timestamp: str, fields: Mapping[str, object]) -> bytes:
    """An event's payload; the fields of each kind are those above."""
    return encoded({"type": kind, "timestamp": timestamp, **fields})
