"""The sections of docs/performance.md that are made of bench.json: servers under load, at constant rates, and idle."""

import goal_tables
import looks
import plots
import tables
import titles
from parts import heading, plot, repeat

SERVICE = "service"
_RUN = "bench"


def _commands(rows, label):
    return repeat([(label(row), row.get("command")) for row in rows])


def _server_of(row):
    return titles.server(row["server"])


def _where(row):
    return f"`{row['bench']}`, {_server_of(row)}"


def _by_rps(rows):
    """The best first, those without a valid figure last."""
    return sorted(rows, key=lambda row: -row["rps"]["median"] if row["valid"] and row.get("rps") else 0)


def _scenario(rows, drawn, name, level=3):
    """Plots and tables of one scenario, with the usual number of connections."""
    chosen = plots.main_rows(rows, name)
    title = titles.scenario(name)
    return [f"{'#' * level} {title}", "", f"`{chosen[0]['bench']}`", "",
            *plot(drawn, f"rps-{name}.svg", f"{title}: requests per second of each server"),
            *plot(drawn, f"cpu-{name}.svg", f"{title}: server CPU per request of each server"),
            *tables.figures(_by_rps(chosen), first=None), *_ratios(chosen), *_commands(chosen, _server_of)]


def _ratios(chosen):
    lines = tables.rivals(chosen, with_scenario=False)
    return ["Hinny's figures divided by the others':", "", *lines] if lines else []


def goals(bench, _drawn):
    """The summary: a line for each goal of the design."""
    rows = bench.get("goals") or []
    lines = goal_tables.goals(rows) + repeat(
        [(f"{goal['path']}, {goal['figure']}", goal.get("command")) for goal in rows])
    return heading("The goals", lines, _RUN)


def claims(bench, _drawn):
    """What was claimed of servers like this one, and the rows behind the cost of Clojure."""
    rows, handlers = bench.get("claims") or [], bench.get("handlers") or []
    lines = goal_tables.claims(rows) + repeat([(claim["name"], claim.get("command")) for claim in rows])
    if handlers:
        lines += ["The same handler in Clojure, in Java, and in Clojure in a second process, which shows the noise:", "",
                  *tables.figures(handlers), *_commands(handlers, _where)]
    return heading("The claims", lines, _RUN)


def saturation(bench, drawn):
    """Every scenario but the service and the database tests, each with its own heading."""
    rows = [row for row in bench.get("rows", []) if row["scenario"] not in (SERVICE, *plots.DATABASE)]
    lines = [line for name in plots.scenarios(rows) for line in _scenario(rows, drawn, name)]
    best = tables.best_in_java(bench.get("rows", []))
    if best:
        lines += ["### Against the best of the servers in Java", "",
                  "The one that is hardest to beat, chosen by the medians, for each figure.", "", *best]
    if lines:
        lines += ["### What disturbed the run", "", *tables.notes(bench["rows"])]
    return heading("Saturation", lines, _RUN)


def service(bench, drawn):
    """The realistic small service, saturated and at constant rates."""
    rows = [row for row in bench.get("rows", []) if row["scenario"] == SERVICE]
    lines = _scenario(rows, drawn, SERVICE) if rows else []
    lines += _latency_of(bench.get("latency") or [], drawn, SERVICE)
    return heading("The realistic small service", lines and [
        "Two parameters of the query and a JSON body are read, a customer is looked up in memory, and JSON is answered.",
        "", *lines], _RUN)


def database(bench, drawn):
    """TechEmpower's tests with a database."""
    rows = [row for row in bench.get("rows", []) if row["scenario"] in plots.DATABASE]
    lines = [line for name in plots.scenarios(rows) for line in _scenario(rows, drawn, name)]
    return heading("The database tests", lines and [
        "TechEmpower's, on PostgreSQL on the same machine. One Ring handler and one connection pool on every server, so "
        "most of the time is not the server's.", "", *lines], _RUN)


def _latency_of(rows, drawn, name):
    chosen = plots.of_scenario(rows, name)
    if not chosen:
        return []
    servers = sorted(dict.fromkeys(row["server"] for row in chosen), key=lambda server: not looks.is_ours(server))
    chosen.sort(key=lambda row: (servers.index(row["server"]), row["rate"]))
    title = f"{titles.scenario(name)}: latency against rate"
    return [f"### {title}", "", *plot(drawn, f"latency-{name}.svg", title), *tables.latency(chosen),
            *_commands(chosen, _server_of)]


def latency(bench, drawn):
    """Percentiles at constant rates."""
    rows = [row for row in bench.get("latency") or [] if row["scenario"] != SERVICE]
    return heading("Latency against rate", [
        line for name in plots.scenarios(rows) for line in _latency_of(rows, drawn, name)], _RUN)


def connections(bench, drawn):
    """How figures change with the number of connections."""
    rows = bench.get("rows", [])
    lines = []
    for name in plots.scenarios(rows):
        found = sorted(plots.scaling_rows(rows, name),
                       key=lambda row: (row["connections"], not looks.is_ours(row["server"])))
        if found:
            title = titles.scenario(name)
            lines += [f"### {title}, from few connections to many", "",
                      *plot(drawn, f"connections-{name}.svg", f"{title}: how it scales with connections"),
                      *tables.figures(found, "connections", "connections"), *_commands(found, _where)]
    return heading("Scaling with connections", lines, _RUN)


def syscalls(bench, _drawn):
    rows = bench.get("syscalls") or []
    return heading("System calls", tables.syscalls(rows) + _commands(rows, _where), _RUN)


def idle(bench, _drawn):
    rows = bench.get("idle") or []
    return heading("Idle connections", tables.idle(rows) + _commands(rows, _server_of), _RUN)


ALL = (saturation, latency, connections, service, database, syscalls, idle)
