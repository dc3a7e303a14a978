"""What servers and scenarios are called where people read."""

import peers

_SCENARIOS = {
    "plaintext-x16": "Plaintext, 16 requests in one write",
    "plaintext": "Plaintext",
    "json": "JSON",
    "json-x16": "JSON, 16 requests in one write",
    "order": "One field of a JSON body",
    "service": "A small service",
    "db": "One row",
    "queries": "20 queries",
    "fortunes": "Fortunes",
    "updates": "20 updates",
    "cached-queries": "20 rows of a cache",
}


def server(name):
    return peers.PEERS[name].title if name in peers.PEERS else name


def scenario(name):
    return _SCENARIOS.get(name, name)


def joined(names):
    """A, B and C."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
