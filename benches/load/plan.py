"""What a run measures, in its order: parts, each with the servers that it needs and how long it takes.

The long run and the quick one are here; any other is what the command line asks for. The estimates are of a machine
with two cores; building is not in them.
"""

import hinny
import scenarios

START_S = 3  # of a server, with the check of its answers
WARM_S = 5  # until it is stable, the first time
ROUND_EXTRA_S = 0.3
STEADY_WARM_UP_S = 1
JVM_TIME_S = 100
IDLE_S = 35  # for each server

# The long run. Seconds are those of a round, and the command line's cut them, but for many connections; rounds are the
# command line's, five.
LOAD_SECONDS = 2
STEADY_SECONDS = 3  # percentiles need many requests
SYSCALL_SECONDS = 1
STEADY_ROUNDS = 3
USUAL_CONNECTIONS = 64
SCALING_CONNECTIONS = [16, 256, 1024, 10_000]
# To open many connections takes a while, which is in the round.
MANY_CONNECTIONS, MANY_SECONDS = 4096, 4
SCALING_RIVALS = ("hyper", "netty", "jetty")
STEADY_RIVALS = ("hyper", "netty", "vertx", "jetty")
FRACTIONS = [0.25, 0.5, 0.75, 0.9]
IDLE_CONNECTIONS = 10_000
HANDLER_SCENARIOS = ["plaintext-x16", "plaintext", "json-x16", "json"]

# The benches that a part may need: each has servers of its own.
MAIN, DATABASE, IDLE = "main", "database", "idle"


class Part:
    """What is measured of some servers, `kinds`, of which the first are rivals, if there are any."""

    bench = MAIN

    def __init__(self, scenario, connections, kinds, seconds, rounds):
        self.scenario = scenario
        self.connections = connections
        self.kinds = kinds
        self.seconds = seconds
        self.rounds = rounds

    @property
    def title(self):
        return f"{self.scenario.name}, {self.connections} connections: {self.what}"

    def estimate_s(self):
        return len(self.kinds) * self.rounds * (self.seconds + ROUND_EXTRA_S)


class Compare(Part):
    """Saturated servers, in turn."""

    what = "saturation"

    def __init__(self, *arguments, warm=False):
        super().__init__(*arguments)
        self._warm = warm
        self.bench = DATABASE if self.scenario.program == hinny.DATABASE else MAIN

    def estimate_s(self):
        return super().estimate_s() + len(self.kinds) * (2 if self._warm else WARM_S)


class Handlers(Compare):
    """The same handler in Clojure, in Java, and in Clojure again."""

    what = "the handler in Clojure and in Java"


class Steady(Part):
    """Latency at a constant rate: a fraction of what each server answered when saturated, or one rate for all, which
    is `rate` or, if that is None too, half of what the slowest answered."""

    def __init__(self, *arguments, fraction=None, rate=None):
        super().__init__(*arguments)
        self.fraction = fraction
        self.rate = rate

    @property
    def what(self):
        if self.fraction:
            return f"latency at {self.fraction:g} of saturation"
        return f"latency at {self.rate:,} requests/s" if self.rate else "latency at one rate"

    def estimate_s(self):
        return super().estimate_s() + len(self.kinds) * self.rounds * STEADY_WARM_UP_S


class Syscalls(Part):
    """System calls of each server, one round."""

    what = "system calls"


class Idle(Part):
    """Memory of idle connections."""

    what = "memory when idle"
    bench = IDLE

    def estimate_s(self):
        return len(self.kinds) * (IDLE_S + WARM_S)


class JvmTime(Part):
    """What a request costs in the JVM alone."""

    title = "time in the JVM (JMH)"

    def __init__(self):
        super().__init__(None, None, [], 0, 0)

    def estimate_s(self):
        return JVM_TIME_S


def estimate_s(parts):
    """How long a run takes, its servers' starts included."""
    servers = {(part.bench, kind) for part in parts for kind in part.kinds}
    return sum(part.estimate_s() for part in parts) + START_S * len(servers)


class Choice:
    """Which servers meet in a scenario: what the command line asks for, of what the lineup can have."""

    def __init__(self, arguments, lineups):
        self._arguments = arguments
        self._lineups = lineups

    def kinds(self, scenario, ours=None, rivals=None, bench=None):
        """The rivals first, all or those of `rivals`; then of Hinny's kinds `ours` or the scenario's own."""
        if self._arguments.aa:
            return ["hyper", "hyper again"]
        lineup = self._lineups[bench or (DATABASE if scenario.program == hinny.DATABASE else MAIN)]
        modes, engines = self._arguments.mode, self._arguments.engine
        wanted = [kind for kind in (scenario.kinds if ours is None else ours)
                  if kind.mode in (modes or [kind.mode]) and kind.engine in (engines or [kind.engine])]
        chosen = lineup.possible(wanted, bool(modes))
        found = [peer for peer in lineup.rivals() if lineup.serves(peer, scenario.path)
                 and (rivals is None or peer in rivals)]
        return found + chosen if chosen else []


def _scenarios(arguments):
    named = arguments.scenario
    return [scenario for scenario in scenarios.SCENARIOS
            if (scenario.name in named if named else scenario.usual)]


def _fitting(counts, possible):
    """The numbers of connections, none above what is possible; the most that is stands for those beyond."""
    return sorted({min(count, possible) for count in counts})


def of(arguments, choice, most_connections):
    """The parts of the run that the command line asks for."""
    if arguments.full:
        return _long(arguments, choice, most_connections)
    if arguments.idle:
        return [_idle(arguments, choice, min(arguments.idle, most_connections))]
    if arguments.java_handler:
        return _handlers(arguments, choice, arguments.scenario or HANDLER_SCENARIOS, arguments.seconds,
                         arguments.connections)
    return _asked(arguments, choice)


def _asked(arguments, choice):
    parts = []
    chosen = [(scenario, choice.kinds(scenario)) for scenario in _scenarios(arguments)]
    chosen = [(scenario, kinds) for scenario, kinds in chosen if kinds]
    for index, connections in enumerate(arguments.connections):
        parts += [Compare(scenario, connections, kinds, arguments.seconds, arguments.rounds, warm=index > 0)
                  for scenario, kinds in chosen]
    first = arguments.connections[0]
    for scenario, kinds in chosen:
        if scenario.program == hinny.DATABASE or (scenario.depth > 1 and not arguments.scenario):
            continue
        rounds = min(arguments.rounds, STEADY_ROUNDS)
        parts += [Steady(scenario, first, kinds, arguments.seconds, rounds, fraction=fraction)
                  for fraction in arguments.latency or [] if scenario.depth == 1]
        parts += [Steady(scenario, first, kinds, arguments.seconds, rounds, rate=rate or None)
                  for rate in ([] if arguments.rate is None else [arguments.rate]) if scenario.depth == 1]
    if arguments.syscalls:
        parts += [Syscalls(scenario, first, kinds, arguments.seconds, 1) for scenario, kinds in chosen
                  if scenario.path == "/plaintext"]
    return parts


def _idle(arguments, choice, connections):
    told = arguments.mode or arguments.engine
    plaintext = scenarios.find("plaintext")
    kinds = choice.kinds(plaintext, None if told else [scenarios.LANE], rivals=arguments.idle_rivals, bench=IDLE)
    return Idle(plaintext, connections, kinds, 0, 1)


def _handlers(arguments, choice, names, seconds, counts):
    parts = []
    for connections in counts:
        for name in names:
            scenario = scenarios.find(name)
            kinds = choice.kinds(scenario, list(scenarios.HANDLERS), rivals=())
            parts.append(Handlers(scenario, connections, kinds, seconds, arguments.rounds))
    return parts


def _long(arguments, choice, most_connections):
    """Everything; the parts that need the same servers are beside each other."""
    def seconds(usual):
        return min(usual, arguments.seconds or usual)
    plaintext, service = scenarios.find("plaintext"), scenarios.find("service")
    rounds, steady_rounds = arguments.rounds, min(arguments.rounds, STEADY_ROUNDS)
    parts = []
    for scenario in filter(lambda one: one.usual, scenarios.SCENARIOS):
        parts.append(Compare(scenario, USUAL_CONNECTIONS, choice.kinds(scenario), seconds(LOAD_SECONDS), rounds))
        if scenario is service:
            parts.append(Steady(scenario, USUAL_CONNECTIONS, choice.kinds(scenario), seconds(STEADY_SECONDS), steady_rounds))
    scaling = choice.kinds(plaintext, [scenarios.LANE, scenarios.WORKER], SCALING_RIVALS)
    steady = choice.kinds(plaintext, [scenarios.LANE, scenarios.WORKER], STEADY_RIVALS)
    parts += [Steady(plaintext, USUAL_CONNECTIONS, steady, seconds(STEADY_SECONDS), steady_rounds, fraction=fraction)
              for fraction in FRACTIONS]
    parts += [Compare(plaintext, connections, scaling,
                      MANY_SECONDS if connections >= MANY_CONNECTIONS else seconds(LOAD_SECONDS), rounds, warm=True)
              for connections in _fitting(SCALING_CONNECTIONS, most_connections)]
    if arguments.syscalls:
        parts += [Syscalls(scenario, USUAL_CONNECTIONS, choice.kinds(scenario), seconds(SYSCALL_SECONDS), 1)
                  for scenario in map(scenarios.find, ("plaintext-x16", "plaintext"))]
    parts += _handlers(arguments, choice, HANDLER_SCENARIOS, seconds(LOAD_SECONDS), [USUAL_CONNECTIONS])
    parts += [Compare(scenario, USUAL_CONNECTIONS, choice.kinds(scenario), seconds(LOAD_SECONDS), rounds)
              for scenario in scenarios.SCENARIOS if scenario.program == hinny.DATABASE]
    parts.append(_idle(arguments, choice, min(IDLE_CONNECTIONS, most_connections)))
    return [*parts, JvmTime()]
