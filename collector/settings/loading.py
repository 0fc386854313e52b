"""From the environment to `Settings`, or to every mistake at once."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from collector.settings.envfile import Gathered, open_to_others
from collector.settings.environment import checked, gather
from collector.settings.model import VARIABLES, Settings
from collector.settings.problems import Problem, SettingsError

MAX_QUOTED = 60


def load_settings(env_file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read and check everything. `env_file` None is `.env` here, which may be missing; a named one may not.

    Raises `SettingsError` with all of the mistakes. Neither that nor the settings' `warnings` hold a secret.
    """
    gathered = gather(env_file, environ)
    return _settings(gathered, env_file)


def validate_texts(values: Mapping[str, str]) -> None:
    """Check values that are not in force, of a file that is to be written. Raises `SettingsError`."""
    _settings(checked(values), None)


def _settings(gathered: Gathered, env_file: Path | None) -> Settings:
    texts = gathered.values
    problems = gathered.problems
    settings = _validated(texts, problems)
    problems += _missing(texts, {problem.variable for problem in problems})
    if settings and settings.kafka_brokers and find_spec("aiokafka") is None:
        problems.append(Problem("KAFKA_BROKERS", "needs aiokafka; type: pip install 'edge-collector[kafka]'"))
    if settings is None or problems:
        raise SettingsError(_in_order(problems), tuple(gathered.warnings))
    warnings = (*gathered.warnings, *_remarks(settings))
    found = {
        "edge_id_fixed": "EDGE_ID" in texts,
        "env_file": env_file,
        "warnings": warnings,
        "secret_files": gathered.secret_files,
    }
    return settings.model_copy(update=found)


def _validated(texts: Mapping[str, str], problems: list[Problem]) -> Settings | None:
    fields = {name.lower(): text for name, text in texts.items()}
    if "DEVICE_ID" in texts:
        fields.setdefault("edge_id", texts["DEVICE_ID"])
    try:
        return Settings.model_validate(fields)
    except ValidationError as error:
        refused = error.errors(include_url=False, include_context=True, include_input=False)
    for mistake in refused:
        name = str(mistake["loc"][0]).upper()
        if name in texts:
            reason = str(mistake.get("ctx", {}).get("error", ""))
            problems.append(Problem(name, _complaint(name, texts[name], reason)))
    return None


def _complaint(name: str, text: str, reason: str) -> str:
    if name == "EDGE_CONFIG_SOURCE" and text.lower() == "aas":
        return (
            "aas is the old collector's source, which this one does not have; "
            "expected api (the Fleet server, EDGE_SERVER_URL) or file (a document, EDGE_CONFIG_FILE)"
        )
    found = "" if VARIABLES[name].secret else f", found {_quoted(text)}"
    return f"expected {VARIABLES[name].reader.expects}{found}{reason and f': {reason}'}"


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= MAX_QUOTED else f"'{text[:MAX_QUOTED]}…'"


def _missing(texts: Mapping[str, str], complained: set[str]) -> Iterator[Problem]:
    source = texts.get("EDGE_CONFIG_SOURCE", "api").lower()
    wanted = "EDGE_CONFIG_FILE" if source == "file" else "EDGE_SERVER_URL"
    for name in (wanted, "MQTT_BROKER_URL"):
        if name not in texts and not {name, f"{name}_FILE"} & complained:
            yield Problem(name, f"is missing; expected {VARIABLES[name].reader.expects}")
    if not texts.keys() & {"DEVICE_ID", "EDGE_ID"} and not complained & {"DEVICE_ID", "EDGE_ID"}:
        yield Problem("DEVICE_ID", f"is missing; expected the edge id, {VARIABLES['DEVICE_ID'].reader.expects}")
    if "MQTT_KEY_FILE" in texts and "MQTT_CERT_FILE" not in texts and "MQTT_CERT_FILE" not in complained:
        yield Problem("MQTT_CERT_FILE", "is missing; expected the certificate of MQTT_KEY_FILE")


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    order = list(VARIABLES)
    return tuple(sorted(problems, key=lambda p: order.index(p.variable) if p.variable in VARIABLES else -1))


def _remarks(settings: Settings) -> Iterator[Problem]:
    if settings.mqtt_tls_insecure:
        yield Problem("MQTT_TLS_INSECURE", "the broker's certificate is not verified; set MQTT_CA_FILE instead")
    tls_files = [name for name in ("mqtt_ca_file", "mqtt_cert_file", "mqtt_key_file") if getattr(settings, name)]
    if tls_files and not settings.mqtt_broker_url.tls:
        yield Problem(tls_files[0].upper(), "not used: MQTT_BROKER_URL is neither mqtts:// nor wss://")
    if settings.broker_password and not settings.broker_username:
        yield Problem("MQTT_PASSWORD", "is set without MQTT_USERNAME, which many brokers refuse")
    for name in settings.too_plain:
        yield Problem(name, "is so short or so common a word that no log can hide it; choose a longer one")
    if settings.edge_server_url and settings.edge_server_url.password:
        yield Problem("EDGE_SERVER_URL", "its user and password are not used; the Fleet server takes EDGE_API_TOKEN")
    if settings.mqtt_key_file and (warning := open_to_others(settings.mqtt_key_file)):
        yield warning
    if settings.edge_config_source == "file" and settings.edge_config_file and not _exists(settings.edge_config_file):
        yield Problem("EDGE_CONFIG_FILE", f"there is no {settings.edge_config_file} yet; it is watched")
    if settings.host_root != Path("/") and not _exists(settings.host_root / "proc" / "1"):
        yield Problem(
            "HOST_ROOT", f"there is no /proc of a machine below {settings.host_root}: mount the host's / there"
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
