-- SQLite and PostgreSQL. One row a value; the order in which messages come decides nothing.
CREATE TABLE IF NOT EXISTS raw_data (
    edge_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    time TEXT NOT NULL,          -- the payload's timestamp as it came: ISO 8601, UTC, always 24 characters
    tag TEXT NOT NULL,
    value TEXT NOT NULL,         -- JSON
    PRIMARY KEY (edge_id, connection_id, time, tag)
);
CREATE TABLE IF NOT EXISTS latest (
    edge_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    time TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (edge_id, connection_id, tag)
);
CREATE TABLE IF NOT EXISTS edges (
    edge_id TEXT NOT NULL PRIMARY KEY,
    status TEXT NOT NULL,
    status_json TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS letters (   -- events and responses: the same one twice is the same to the byte
    edge_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (edge_id, kind, body)
);
