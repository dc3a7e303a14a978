"""What is sent to the servers: the scenarios, and which kinds of Hinny answer each, beside the rivals that have its path."""

from hinny import APPLICATION, DATABASE, JAVA, SERVICE, Hinny
from http_check import SERVICE as SERVICE_TARGET

LANE, HYPER_ONLY = Hinny("inline", "auto"), Hinny("inline", "hyper")
WORKER, VIRTUAL = Hinny("worker", "auto"), Hinny("virtual", "auto")
ALL = (LANE, HYPER_ONLY, WORKER, VIRTUAL)
# The same handler in Clojure, in Java, and in Clojure again: what the first and the last differ by is noise.
LANE_JAVA, LANE_AGAIN = LANE.running(JAVA), Hinny("inline", "auto", again=True)
HANDLERS = (LANE, LANE_JAVA, LANE_AGAIN)


class Scenario:
    """A request, alone or as a pipelined batch of `depth`, perhaps with a file as its body.

    `path` is the request target. A right answer may be up to `varies_by` bytes longer or shorter than the one that was
    checked. `program` is what serves it on Hinny's side. One that is not `usual` is measured when it is named, or in
    the long run.
    """

    status = 200

    def __init__(self, name, path, depth, body_bytes, kinds, program=APPLICATION, varies_by=0, usual=True):
        self.name = name
        self.path = path
        self.depth = depth
        self.body_bytes = body_bytes
        self.kinds = [kind.running(program) for kind in kinds]
        self.program = program
        self.varies_by = varies_by
        self.usual = usual

    def bench_name(self, connections):
        """Protocol, concurrency, shape, size, as in all benches of this project."""
        shape = "keepalive" if self.depth == 1 else f"pipelined{self.depth}"
        size = f"_{self.body_bytes}b" if self.body_bytes else ""
        return f"h1_{shape}_c{connections}_{self.path[1:].partition('?')[0]}{size}"


def _database(name, target, varies_by):
    # Rows are random, so their sizes differ, and so do those of the whole answer.
    return Scenario(name, target, 1, None, (WORKER, VIRTUAL), program=DATABASE, varies_by=varies_by, usual=False)


ROWS = 20
# An id and a random number have 1 to 5 digits each.
_ROW_VARIES_BY = 8

SCENARIOS = [
    Scenario("plaintext-x16", "/plaintext", 16, 13, ALL),
    Scenario("plaintext", "/plaintext", 1, 13, ALL),
    Scenario("json", "/json", 1, 27, ALL),
    Scenario("json-x16", "/json", 16, 27, (LANE,), usual=False),
    Scenario("order", "/order", 1, 22, (LANE, HYPER_ONLY, WORKER), program=SERVICE),
    Scenario("service", SERVICE_TARGET, 1, 135, ALL, program=SERVICE),
    _database("db", "/db", _ROW_VARIES_BY),
    _database("queries", f"/queries?queries={ROWS}", ROWS * _ROW_VARIES_BY),
    _database("fortunes", "/fortunes", 0),
    _database("updates", f"/updates?queries={ROWS}", ROWS * _ROW_VARIES_BY),
    _database("cached-queries", f"/cached-queries?count={ROWS}", ROWS * _ROW_VARIES_BY),
]

NAMES = [scenario.name for scenario in SCENARIOS]


def find(name):
    """The scenario of this name."""
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
