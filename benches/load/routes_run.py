"""The run of `--routes`: rows beside nginx and hyper, then the health endpoint, then large tables."""

import os
import tempfile

import generator
import idle
import native_counts
import report
import route_rows
import routes_tables
import tables
from failure import Failure
from progress import say
from routes_bench import NATIVE, READY, TABLE, RoutesBench


def _most_connections(limit):
    most = max(row.connections for row in route_rows.ROWS)
    if idle.possible(most, limit) < most:
        raise Failure(f"a limit of {limit} open files is too low for {most} connections: raise it with `ulimit -n`", 2)


def run(servers, arguments, limit):
    """The result of all that was asked for, and whether all of it is valid; prints it."""
    _most_connections(limit)
    with tempfile.TemporaryDirectory(prefix="hinny-bench-") as directory:
        os.chmod(directory, 0o755)  # nginx's workers may be another user
        try:
            return _run(servers, arguments, directory)
        finally:
            # nginx removes its files there when it ends.
            servers.stop()


def _run(servers, arguments, directory):
    bench = RoutesBench(arguments, servers, directory)
    rows = [row for row in route_rows.ROWS if row.name in arguments.routes]
    length = "quick, so it steers and claims nothing" if arguments.quick else "after warm-up until stable"
    header = report.machine({"wrk": generator.wrk_version(), **bench.facts(rows), "generator": (
        f"wrk -t{arguments.wrk_threads} -d{arguments.seconds}s, {arguments.rounds} rounds of each server in turn, "
        f"{arguments.loops} event loops or workers, {length}")})
    result = {"rows": []}
    try:
        for row in rows:
            result["rows"] += bench.compare(row)
        if READY in arguments.routes:
            result["ready"] = bench.ready()
        if TABLE in arguments.routes:
            result["table"] = bench.table()
        if NATIVE in arguments.routes:
            say("counting instructions and timing look-ups, some minutes")
            result["native"] = native_counts.measure()
    except Failure as failure:
        # What was measured before is not lost.
        bench.incomplete.append(str(failure))
    result["text"] = routes_tables.text(tables.header(header), result, bench.incomplete)
    print("\n".join(result["text"]))
    lines = result["rows"] + result.get("ready", []) + result.get("table", {}).get("swaps", [])
    return {"machine": header, **result}, not bench.incomplete and all(line["valid"] for line in lines)
