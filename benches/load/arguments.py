"""The command line of run.py."""

import argparse
import os

import idle
import plan
import routes_bench
import scenarios
from failure import Failure
from hinny import ENGINES, MODES
from peers import PEERS, parse_other

CLAIM_ROUNDS = 5
# What a quick run has, where nothing else is asked for.
QUICK = {"scenario": ["plaintext-x16", "plaintext", "json"], "peer": ["hyper", "netty"], "mode": ["inline", "worker"],
         "engine": ["auto"]}
# What a long run decides itself.
LONG_DECIDES = ("quick", "idle", "aa", "peer", "hinny_only", "scenario", "mode", "engine", "connections", "latency", "rate",
                "java_handler", "routes")


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _fraction(text):
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1")
    return value


def _other(text):
    try:
        return parse_other(text)
    except Failure as failure:
        raise argparse.ArgumentTypeError(str(failure)) from None


def _parser():
    parser = argparse.ArgumentParser(
        description="Compares Hinny with its rivals on this machine.",
        epilog="The method, and what is not comparable: README.md beside this file.")
    add = parser.add_argument
    add("--full", action="store_true", help="everything, with all peers; says first how long it takes")
    add("--quick", action="store_true", help="3 rounds of 2 s after a short warm-up, of few servers and scenarios unless "
                                             "told otherwise; no claim")
    add("--peer", action="append", choices=[*PEERS, "all"],
        help="compare with this one; may be repeated (default: hyper); all: those that can be had here")
    add("--other", action="append", default=[], type=_other, metavar="NAME=COMMAND",
        help="compare with a server that you built, too: it has /plaintext and /json; in the command, {loops} stands "
             "for the number of event loops and {port} for the port; without {port} it prints "
             "`listening on 127.0.0.1:PORT`")
    add("--rounds", type=_positive, help=f"measured runs of each server (default {CLAIM_ROUNDS})")
    add("--seconds", type=_positive,
        help="length of a measured run (default 5; --full has its own, and this is their most)")
    add("--connections", type=_positive, action="append",
        help="connections of the generator; may be repeated (default 64)")
    add("--wrk-threads", type=_positive, default=2, help="threads of the generator (default 2)")
    add("--loops", type=_positive, default=len(os.sched_getaffinity(0)),
        help="event loops of every server (default: cores)")
    add("--scenario", action="append", choices=scenarios.NAMES,
        help="only this one; may be repeated (default: those without a database)")
    add("--mode", action="append", choices=MODES,
        help="only this handler mode of Hinny; may be repeated (default: all)")
    add("--engine", action="append", choices=list(ENGINES),
        help="only this HTTP/1.1 engine of Hinny; may be repeated (default: all)")
    add("--latency", type=_fraction, nargs="*", metavar="FRACTION",
        help="then, percentiles at constant rates, these parts of what each server answered when it was saturated "
             f"(default {' '.join(f'{fraction:g}' for fraction in plan.FRACTIONS)})")
    add("--rate", type=_positive, nargs="?", const=0, metavar="N",
        help="then, percentiles at N requests/s, the same for all (default: half of what the slowest answered)")
    add("--java-handler", action="store_true",
        help="compare a handler in Clojure with the same one in Java instead, both on Hinny's lane")
    add("--syscalls", action="store_true",
        help="then, system calls per request of each server of the plaintext scenarios (perf, as root)")
    add("--max-others", type=float, metavar="CORES",
        help="discard and repeat a turn in which other processes and the hypervisor took more than this")
    add("--json", metavar="FILE", help="write everything, each round included, to this file")
    add("--save", action="store_true",
        help="keep the raw results in benches/load/results, and make docs/performance.md of them")
    add("--idle", type=_positive, nargs="?", const=idle.DEFAULT_CONNECTIONS, metavar="N",
        help=f"measure memory per idle connection instead, with N of them (default {idle.DEFAULT_CONNECTIONS})")
    add("--routes", nargs="*", choices=routes_bench.NAMES, metavar="ROW",
        help=f"compare what the core does for routes with nginx instead, all of it or these rows: "
             f"{', '.join(routes_bench.NAMES)}")
    add("--hinny-only", action="store_true", help="leave the rivals out; no ratios then")
    add("--aa", action="store_true", help="two hyper servers instead of Hinny: the noise of this machine")
    add("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, then PATH)")
    add("--jvm-flag", action="append", default=[], metavar="FLAG",
        help="one more JVM flag for Hinny; may be repeated")
    add("--class-path", metavar="PATH", help="class path of Hinny (default: what `make -s classpath` prints)")
    add("--hyper", metavar="PATH", help="the hyper server (default: cargo builds it)")
    return parser


def _refuse(parser, arguments, option, others):
    refused = [name for name in others if getattr(arguments, name) not in (None, False, [])]
    if refused:
        parser.error(f"--{option} does not go with --{refused[0].replace('_', '-')}")


def _check(parser, arguments):
    if len({other.name: other for other in arguments.other}) < len(arguments.other):
        parser.error("two servers of --other have the same name")
    if arguments.hinny_only and arguments.other:
        parser.error("--hinny-only leaves all rivals out: it does not go with --other")
    if arguments.aa and (arguments.hinny_only or arguments.mode or arguments.engine):
        parser.error("--aa runs no Hinny: it goes with none of --hinny-only, --mode and --engine")
    if arguments.save and not arguments.full and arguments.routes is None:
        parser.error("--save keeps whole runs: it goes with --full or --routes")
    if arguments.save and arguments.rounds and arguments.rounds < CLAIM_ROUNDS:
        parser.error(f"--save keeps what may be claimed: not less than {CLAIM_ROUNDS} rounds")
    if arguments.full:
        _refuse(parser, arguments, "full", LONG_DECIDES)
    if arguments.java_handler:
        _refuse(parser, arguments, "java-handler", ("peer", "other", "aa", "mode", "engine", "latency", "rate", "syscalls",
                                                    "idle", "routes"))
        if set(arguments.scenario or []) - set(plan.HANDLER_SCENARIOS):
            parser.error(f"--java-handler is measured with --scenario {', '.join(plan.HANDLER_SCENARIOS)}")
    if arguments.routes is not None:
        arguments.routes = arguments.routes or routes_bench.NAMES
        if arguments.save and set(arguments.routes) != set(routes_bench.NAMES):
            parser.error("--save keeps whole runs: all rows of --routes or none")
        _refuse(parser, arguments, "routes", ("full", "idle", "aa", "peer", "other", "hinny_only", "scenario", "mode",
                                              "engine", "connections", "latency", "rate", "syscalls", "java_handler"))


def _wanted_peers(arguments):
    wanted = set(arguments.peer or ["hyper"])
    arguments.peer = [] if arguments.hinny_only else [peer for peer in PEERS if wanted & {peer, "all"}]
    arguments.named_peers = wanted - {"all"}
    if arguments.aa:
        arguments.peer = ["hyper"]


def parse(words=None):
    """The options, with those filled in that others imply; `words` are the command line's, if they are not given."""
    parser = _parser()
    arguments = parser.parse_args(words)
    _check(parser, arguments)
    if arguments.full:
        arguments.peer = ["all"]
    if arguments.quick and arguments.routes is None:
        for name, value in QUICK.items():
            if not (name in ("mode", "engine") and arguments.aa) and not (name == "peer" and arguments.hinny_only):
                setattr(arguments, name, getattr(arguments, name) or value)
    arguments.rounds = arguments.rounds or (3 if arguments.quick else CLAIM_ROUNDS)
    if not arguments.full:
        arguments.seconds = arguments.seconds or (2 if arguments.java_handler else 5)
    if arguments.quick:
        arguments.seconds = min(arguments.seconds, 2)
    arguments.connections = arguments.connections or [plan.USUAL_CONNECTIONS]
    if arguments.latency == []:
        arguments.latency = plan.FRACTIONS
    # Who is idle beside Hinny: hyper, or who was asked for.
    arguments.idle_rivals = ("hyper",) if arguments.full else None
    _wanted_peers(arguments)
    return arguments
