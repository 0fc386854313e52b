"""`.env` files as people leave them, and secrets in files of their own."""

from pathlib import Path

import pytest

from collector.settings import Settings, SettingsError, load_settings

ENOUGH = "EDGE_SERVER_URL=http://pipeline:8080\nMQTT_BROKER_URL=mqtt://pipeline\nDEVICE_ID=edge-1\n"
REAL = {"EDGE_SERVER_URL": "http://pipeline:8080", "MQTT_BROKER_URL": "mqtt://pipeline", "DEVICE_ID": "edge-1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def from_file(content: str | bytes, **environ: str) -> Settings:
    return load_settings(written(Path("edge.env"), content), environ)


def refused(env_file: Path | None, environ: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file, environ)
    return caught.value


def password(settings: Settings) -> str:
    assert settings.broker_password is not None
    return settings.broker_password.get_secret_value()


@pytest.mark.parametrize(
    "line",
    [
        "COMPANY_CODE=A1",
        "COMPANY_CODE=A1 # plant 1",
        "COMPANY_CODE = 'A1'\t# x",
        'export COMPANY_CODE="A1"',
        " COMPANY_CODE= A1  ",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_lines_are_read_leniently(line: str, end: str, start: str) -> None:
    content = start + (ENOUGH + "# note\n\n" + line + "\nLOG_LEVEL=\n").replace("\n", end)
    settings = from_file(content)
    assert (settings.company_code, settings.log_level, settings.warnings) == ("A1", "INFO", ())


def test_the_real_environment_wins_unless_it_is_empty() -> None:
    assert from_file(ENOUGH + "COMPANY_CODE=file\n", COMPANY_CODE="real").company_code == "real"
    assert from_file(ENOUGH + "COMPANY_CODE=file\n", COMPANY_CODE="").company_code == "file"


def test_secrets_keep_every_character() -> None:
    assert password(from_file(ENOUGH + "MQTT_USERNAME=u\nMQTT_PASSWORD='a #b$HOME\\ '\n")) == "a #b$HOME\\ "
    assert password(from_file(ENOUGH, MQTT_USERNAME="u", MQTT_PASSWORD="a #b ")) == "a #b "


def test_the_default_file_is_read_and_may_be_missing() -> None:
    assert load_settings(None, REAL).edge_id == "edge-1"
    written(Path(".env"), "COMPANY_CODE=here\n")
    assert load_settings(None, REAL).company_code == "here"


def test_a_named_file_must_be_there() -> None:
    assert refused(Path("gone.env"), REAL).problems[0].variable == "gone.env"
    Path(".env").mkdir()
    assert "Docker" in refused(None, REAL).problems[0].message


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_a_file_in_another_encoding_is_read_all_the_same(encoding: str) -> None:
    settings = from_file((ENOUGH + "COMPANY_CODE=스피폭스\n").encode(encoding))
    assert settings.company_code == "스피폭스"
    assert encoding in settings.warnings[0].message


def test_a_file_that_is_no_text_is_named() -> None:
    error = refused(written(Path("edge.env"), b"\xff\xff\xff\xff"), REAL)
    assert str(error) == "edge.env: is neither UTF-8 nor cp949; save it as UTF-8"


def test_a_broken_line_costs_that_line() -> None:
    error = refused(written(Path("edge.env"), 'MQTT_PASSWORD="canary\nCOMPANY_CODE=A1\n' + ENOUGH), {})
    (problem,) = error.problems
    assert (problem.variable, "line 1" in problem.message) == ("MQTT_PASSWORD", True)
    assert "canary" not in str(error)
    settings = from_file("what is this\n" + ENOUGH)
    assert [warning.variable for warning in settings.warnings] == ["edge.env"]


def test_a_line_repeated_with_another_value_is_noticed() -> None:
    settings = from_file(ENOUGH + "COMPANY_CODE=a\nCOMPANY_CODE=b\n")
    assert settings.company_code == "b"
    assert "line 5 counts" in settings.warnings[0].message


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_s4_a_file_others_may_read_is_told_with_the_chmod(mode: int) -> None:
    env_file = written(Path("my edge.env"), ENOUGH, mode)
    (warning,) = load_settings(env_file, {}).warnings
    assert warning.message.endswith("chmod 600 'my edge.env'")


def test_s4_a_secret_from_its_file_loses_only_the_line_end(folder: Path) -> None:
    secret = written(folder / "secret", " p w \r\n")
    settings = from_file(ENOUGH + f"MQTT_USERNAME=u\nMQTT_PASSWORD_FILE={secret}\n")
    assert password(settings) == " p w "
    assert settings.warnings == ()
    secret.chmod(0o644)
    (warning,) = load_settings(None, REAL | {"HTTP_TOKEN_FILE": str(secret)}).warnings
    assert f"chmod 600 {secret}" in warning.message


def test_the_broker_url_may_come_from_a_file(folder: Path) -> None:
    url = written(folder / "url", "mqtts://u:p@broker/\n")
    environ = {key: value for key, value in REAL.items() if key != "MQTT_BROKER_URL"}
    settings = load_settings(None, environ | {"MQTT_BROKER_URL_FILE": str(url)})
    assert (str(settings.mqtt_broker_url), password(settings)) == ("mqtts://broker:8883", "p")


@pytest.mark.parametrize("name", ["MQTT_PASSWORD", "EDGE_API_TOKEN", "HTTP_TOKEN", "MQTT_BROKER_URL"])
def test_s4_a_value_and_its_file_are_one_too_many(folder: Path, name: str) -> None:
    secret = written(folder / "secret", "canary")
    error = refused(None, REAL | {name: REAL.get(name, "canary"), f"{name}_FILE": str(secret)})
    assert [problem.variable for problem in error.problems] == [name]
    assert f"{name}_FILE too" in str(error)
    assert "canary" not in str(error)


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", b"\xff\xfe\xfd", b"x" * 70_000])
def test_an_unfit_secret_file_is_one_problem(folder: Path, content: bytes) -> None:
    secret = written(folder / "secret", content)
    error = refused(None, REAL | {"EDGE_API_TOKEN_FILE": str(secret)})
    assert len(error.problems) == 1
    assert error.problems[0].variable.startswith("EDGE_API_TOKEN")


@pytest.mark.parametrize("named", ["canary", "/nowhere/canary", ".", "a\0canary", "c" * 5000])
def test_s4_s5_a_secret_under_the_wrong_name_is_not_quoted(named: str) -> None:
    error = refused(None, REAL | {"MQTT_PASSWORD_FILE": named})
    assert [problem.variable for problem in error.problems] == ["MQTT_PASSWORD_FILE"]
    assert "canary" not in str(error)
