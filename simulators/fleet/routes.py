"""What a Fleet server answers to which path."""

import re

import orjson

from simulators.fleet.documents import Documents, etag_matches
from simulators.fleet.store import DataRow, Edge, Store
from simulators.http import HttpRequest, HttpResponse

_EDGE = r"(?P<edge>[^/]+)"
_CONFIG = re.compile(rf"/api/fleet/(?:v1/edges|edge)/{_EDGE}/config")
_ROWS = re.compile(rf"/api/fleet/v1/edges/{_EDGE}/(?P<what>latest|heartbeats|data|events|responses)")
_EDGES = "/api/fleet/v1/edges"
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_DEFAULT_LIMIT = 100


class Routes:
    """The paths: both config paths (GET, PUT), the edges, and per edge its latest values and rows."""

    def __init__(self, documents: Documents, store: Store) -> None:
        self._documents = documents
        self._store = store

    @staticmethod
    def is_config(path: str) -> bool:
        """Whether this is one of the two config paths."""
        return _CONFIG.fullmatch(path) is not None

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The good answer."""
        config = _CONFIG.fullmatch(request.path)
        if config and request.method == "GET":
            return self._config(config["edge"], request.headers.get("if-none-match"))
        if config and request.method == "PUT":
            return self._put_config(config["edge"], request.body)
        if request.method != "GET":
            return _error(405, f"{request.method} is not possible here")
        if request.path == _EDGES:
            return _json([_edge_entry(edge) for edge in self._store.edges.values()])
        rows = _ROWS.fullmatch(request.path)
        if rows is None:
            return _error(404, f"nothing at {request.path}")
        return self._rows(rows["edge"], rows["what"], request)

    def _config(self, edge_id: str, if_none_match: str | None) -> HttpResponse:
        served = self._documents.find(edge_id)
        if served is None:
            return _error(404, f"edge {edge_id} is not registered: it registers with its first heartbeat")
        if if_none_match is not None and etag_matches(if_none_match, served.etag):
            return HttpResponse(304, headers={"ETag": served.etag})
        return HttpResponse(200, served.body, {**_JSON, "ETag": served.etag})

    def _put_config(self, edge_id: str, body: bytes) -> HttpResponse:
        try:
            document = orjson.loads(body)
        except ValueError as error:
            return _error(400, f"the body is no JSON: {error}")
        if not isinstance(document, dict):
            return _error(400, f"expected a config document (an object), found {type(document).__name__}")
        named = document.get("edge_id", edge_id)
        if named != edge_id:
            return _error(400, f"the document is that of edge {named!r}, the path says {edge_id!r}")
        self._documents.put(document, edge_id)
        return _json({"edge_id": edge_id, "version": document.get("version")})

    def _rows(self, edge_id: str, what: str, request: HttpRequest) -> HttpResponse:
        limit_text = request.query.get("limit", str(_DEFAULT_LIMIT))
        if not limit_text.isdecimal():
            return _error(400, f"limit: expected a whole number, found {limit_text!r}")
        limit, store = int(limit_text), self._store
        if what == "latest":
            latest = store.latest(edge_id, request.query.get("connection_id"))
            return _json({tag: _value_entry(row) for tag, row in latest.items()})
        if what == "data":
            return _json(store.data(edge_id, limit))
        if what == "heartbeats":
            edge = store.edges.get(edge_id)
            return _json(list(reversed(edge.heartbeats))[:limit] if edge else [])
        kept = store.events if what == "events" else store.responses
        return _json([entry for entry in reversed(kept) if entry["edge_id"] == edge_id][:limit])


def _edge_entry(edge: Edge) -> dict[str, object]:
    return {
        "edge_id": edge.edge_id,
        "status": edge.status,
        "registered_at": edge.registered_at,
        "last_seen": edge.last_seen,
        "last_heartbeat": edge.heartbeats[-1] if edge.heartbeats else None,
    }


def _value_entry(row: DataRow) -> dict[str, object]:
    return {
        "value": row.value,
        "timestamp": row.timestamp,
        "equipment_id": row.equipment_id,
        "connection_id": row.connection_id,
    }


def _json(content: object) -> HttpResponse:
    return HttpResponse(200, orjson.dumps(content), _JSON)


def _error(status: int, message: str) -> HttpResponse:
    return HttpResponse(status, orjson.dumps({"error": message}), _JSON)
