"""The test types without a database: plaintext and JSON."""

import json

from exchange import ACCEPT
from http_client import Closed, Malformed, request_bytes
from findings import WARN

PLAINTEXT = b"Hello, World!"
JSON = {"message": "Hello, World!"}
JSON_BYTES = len(b'{"message":"Hello, World!"}')
PIPELINED = 16


def verify_plaintext(exchanges, _database, path="/plaintext"):
    findings = exchanges.findings
    response = exchanges.check_first("plaintext", path, "plain")
    if response is None:
        return
    findings.check("plaintext", "body", response.body == PLAINTEXT, repr(response.body[:40]))
    findings.problem("plaintext", "pipelining", _pipelining_problem(exchanges, path))


def _pipelining_problem(exchanges, path):
    """Sends all requests at once; there must be as many answers, each whole and right."""
    answered = 0
    try:
        with exchanges.connect() as connection:
            connection.send(request_bytes(path, ACCEPT["plain"]) * PIPELINED)
            for _ in range(PIPELINED):
                response = connection.read()
                if (response.status, response.body) != (200, PLAINTEXT):
                    return f"answer {answered + 1}: {response.status} {response.body[:40]!r}"
                answered += 1
            if connection.surplus():
                return f"{len(connection.surplus())} bytes after answer {answered}"
    except (Malformed, Closed, OSError) as error:
        return f"{answered} of {PIPELINED} answers: {error}"
    return None


def verify_json(exchanges, _database, path="/json"):
    findings = exchanges.findings
    response = exchanges.check_first("json", path, "json")
    if response is None:
        return
    try:
        value = json.loads(response.body)
    except ValueError as error:
        findings.check("json", "body", False, str(error))
        return
    findings.check("json", "body", value == JSON, repr(response.body[:60]))
    findings.check("json", "size", len(response.body) <= JSON_BYTES, f"{len(response.body)} bytes, {JSON_BYTES} do",
                 otherwise=WARN)
