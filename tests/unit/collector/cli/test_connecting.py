"""What is typed after `--set` is meant: a field that the protocol does not have is refused, with those it has."""

from pathlib import Path

import pytest
import typer

from collector.cli.connecting import connection_of
from collector.cli.identity import with_password
from protocols import registry
from protocols.errors import Refused


@pytest.mark.parametrize(
    ("protocol", "fields", "wrong", "known"),
    [
        ("modbus_tcp", {"unitid": "3"}, "unitid", "unit_id"),
        ("s7", {"unit_id": "3"}, "unit_id", "rack, slot"),
        ("xgt", {"rack": "0"}, "rack", "family"),
        ("opcua", {"user": "me"}, "user", "username"),
    ],
)
def test_an_unknown_field_is_refused_with_the_known_ones(
    protocol: str, fields: dict[str, object], wrong: str, known: str
) -> None:
    with pytest.raises(Refused) as refused:
        connection_of(registry.driver(protocol).connection, {"host": "10.0.0.5", **fields}, 3)
    assert refused.value.field == wrong
    assert known in str(refused.value)
    assert "host" not in str(refused.value)


def test_every_spelling_that_a_document_may_use_is_taken() -> None:
    fields = {"host": None, "ip": "10.0.0.5", "port": None, "slave_id": "3", "max_registers": "20"}
    connection = connection_of(registry.driver("modbus_tcp").connection, fields, 3)
    assert connection.where == "10.0.0.5:502 unit 3"


def test_s5_a_password_is_taken_from_no_command_line(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="--password-file"):
        with_password({"username": "u", "password": "canary-secret"}, None)
    file = tmp_path / "password"
    file.write_text("canary-secret\n")
    assert with_password({"username": "u"}, file)["password"] == "canary-secret"
