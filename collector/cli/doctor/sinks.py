"""Looks at the further ways out: Kafka and the HTTP server. Sends no message to either."""

from collections.abc import AsyncIterator

from collector.app.sinks import http_sink, kafka_sink
from collector.cli.doctor.finding import Finding, bad, good, note
from collector.settings import ServerUrl, Settings

_KEPT = "meanwhile all is kept on disk"


async def look_at_sinks(settings: Settings) -> AsyncIterator[Finding]:
    """A line or two for each that is set; nothing is loaded for one that is not."""
    if settings.kafka_brokers:
        yield await _kafka([str(each) for each in settings.kafka_brokers], settings.client_id())
    if settings.uplink_url is not None:
        yield await _http(settings.uplink_url)


async def _kafka(brokers: list[str], client_id: str) -> Finding:
    from collector.delivery.sinks.destination import Away
    from collector.delivery.sinks.kafka import topic_of

    sink, where = kafka_sink(brokers, f"{client_id}-doctor"), ", ".join(brokers)
    try:
        await sink.open()
        topics = await sink.topics()
    except Away as away:
        remedy = f"KAFKA_BROKERS, the names the brokers give for themselves, a firewall; {_KEPT}"
        return bad("Kafka", f"{where}: {away}", remedy)
    finally:
        await sink.close()
    missing = [topic for topic in (topic_of("data"), topic_of("events")) if topic not in topics]
    if missing:
        remedy = "create them, unless the brokers create topics by themselves"
        return note("Kafka", f"{where} lets us in, and shows us no {', '.join(missing)}", remedy)
    return good("Kafka", f"{where} lets us in, and has our topics")


async def _http(url: ServerUrl) -> Finding:
    from collector.delivery.sinks.destination import Away

    sink = http_sink(url)
    try:
        await sink.open()
        status = await sink.greet()
    except Away as away:
        return bad("HTTP sink", f"{url.base}: {away}", f"UPLINK_URL, the server itself, a firewall; {_KEPT}")
    finally:
        await sink.close()
    if status in (401, 403):
        return bad("HTTP sink", f"{url.base} answers HTTP {status}", f"user and password in UPLINK_URL; {_KEPT}")
    if status >= 500 and status != 501:
        return bad("HTTP sink", f"{url.base} answers HTTP {status}", f"look at the server; {_KEPT}")
    return good("HTTP sink", f"{url.base} answers (HTTP {status} to a HEAD request; nothing was posted)")
