"""What a visitor may ask for, as the page sends it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Document = Literal["good", "broken", "bad_device"]


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerOrder(_Order):
    """Pull the broker, or bring it back."""

    what: Literal["broker"]
    away: bool


class PlcOrder(_Order):
    """Stop a PLC, or start it again."""

    what: Literal["plc"]
    device: Annotated[str, Field(max_length=64)]
    stopped: bool


class ConfigOrder(_Order):
    """Have the Fleet server serve this document."""

    what: Literal["config"]
    document: Document


class DamageOrder(_Order):
    """Write garbage into the buffer's file."""

    what: Literal["damage"]


class KillOrder(_Order):
    """Kill -9 the collector."""

    what: Literal["kill"]


Order = BrokerOrder | PlcOrder | ConfigOrder | DamageOrder | KillOrder
ORDERS: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="what")])
