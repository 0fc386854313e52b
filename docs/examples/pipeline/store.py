"""How a server stores what edges publish: late, repeated and split messages come out right."""

import json
import sqlite3
from pathlib import Path

RAW = "INSERT INTO raw_data VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
LATEST = """
    INSERT INTO latest (edge_id, connection_id, tag, time, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (edge_id, connection_id, tag) DO UPDATE SET time = excluded.time, value = excluded.value
    WHERE excluded.time > latest.time
"""
EDGE = """
    INSERT INTO edges VALUES (?, ?, ?)
    ON CONFLICT (edge_id) DO UPDATE SET status = excluded.status, status_json = excluded.status_json
"""
LETTER = "INSERT INTO letters VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


def open_tables(file: str) -> sqlite3.Connection:
    """The database, with its tables."""
    database = sqlite3.connect(file)
    database.executescript(Path(__file__).with_name("tables.sql").read_text("utf-8"))
    return database


def store(database: sqlite3.Connection, topic: str, payload: bytes) -> dict[str, object]:
    """Store one message; call PUBACK after it. Gives the values that are new, live, and the latest: for alarms.

    Raises ValueError for what is no message of an edge.
    """
    start, devices, edge_id, kind = topic.split("/")
    body = json.loads(payload)
    if (start, devices) != ("vexplor", "devices") or not isinstance(body, dict):
        raise ValueError(f"{topic}: no message of an edge")
    with database:
        if kind == "data":
            return store_data(database, edge_id, body)
        if kind == "status":
            database.execute(EDGE, (edge_id, body.get("status", "online"), json.dumps(body, ensure_ascii=False)))
        elif kind in ("events", "responses"):
            database.execute(LETTER, (edge_id, kind, payload.decode()))
    return {}


def store_data(database: sqlite3.Connection, edge_id: str, body: dict) -> dict[str, object]:
    """One row a tag, so the parts of a split message need not be put together."""
    connection_id, time = str(body.get("connection_id", "")), body["timestamp"]
    buffered = body.get("meta", {}).get("buffered", False)
    live: dict[str, object] = {}
    for tag, value in body["tags"].items():
        text = json.dumps(value, ensure_ascii=False)
        database.execute(RAW, (edge_id, connection_id, time, tag, text))
        moved = database.execute(LATEST, (edge_id, connection_id, tag, time, text)).rowcount
        if moved and not buffered:
            live[tag] = value
    return live
