"""The command line of run.py."""

import argparse
import os

import document
import generator
import idle
import routes_bench
import syscalls
from failure import Failure
from lineup import ENGINES, MODES
from peers import PEERS, parse_other

FULL_CONNECTIONS = [64, 256, 4096]
FULL_SECONDS = 3


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _other(text):
    try:
        return parse_other(text)
    except Failure as failure:
        raise argparse.ArgumentTypeError(str(failure)) from None


def _parser():
    parser = argparse.ArgumentParser(
        description="Compares Hinny with hyper, Netty and Vert.x on this machine.",
        epilog="The method, and what is not comparable: README.md beside this file.")
    names = [scenario.name for scenario in generator.SCENARIOS]
    add = parser.add_argument
    add("--full", action="store_true",
        help=f"everything: all peers, {', '.join(map(str, FULL_CONNECTIONS))} connections, --latency, --syscalls; "
             f"runs of {FULL_SECONDS} s (about 25 minutes)")
    add("--quick", action="store_true", help="3 rounds of 2 s after a short warm-up; no claim")
    add("--peer", action="append", choices=[*PEERS, "all"],
        help="compare with this one; may be repeated (default: hyper); all: those that can be had here")
    add("--other", action="append", default=[], type=_other, metavar="NAME=COMMAND",
        help="compare with a server that you built, too: it has /plaintext and /json; in the command, {loops} stands for "
             "the number of event loops and {port} for the port; without {port} it prints `listening on 127.0.0.1:PORT`")
    add("--rounds", type=_positive, help="measured runs of each server (default 5)")
    add("--seconds", type=_positive, help="length of a measured run (default 5)")
    add("--connections", type=_positive, action="append",
        help="connections of the generator; may be repeated (default 64)")
    add("--wrk-threads", type=_positive, default=2, help="threads of the generator (default 2)")
    add("--loops", type=_positive, default=len(os.sched_getaffinity(0)),
        help="event loops of every server (default: cores)")
    add("--scenario", action="append", choices=names, help="only this one; may be repeated (default: all)")
    add("--mode", action="append", choices=MODES,
        help="only this handler mode of Hinny; may be repeated (default: all)")
    add("--engine", action="append", choices=list(ENGINES),
        help="only this HTTP/1.1 engine of Hinny; may be repeated (default: all)")
    add("--latency", action="store_true",
        help="then, percentiles of each server of `plaintext` at a constant rate, half of what it answered when "
             "saturated")
    add("--syscalls", action="store_true", help="then, system calls per request of each server of the plaintext scenarios (perf, as root)")
    add("--max-others", type=float, metavar="CORES",
        help="discard and repeat a turn in which other processes and the hypervisor took more than this")
    add("--json", metavar="FILE", help="write everything, each round included, to this file")
    add("--write", nargs="?", const=document.PERFORMANCE, metavar="FILE",
        help="write the tables into this file, between its markers (default docs/performance.md, and the README's "
             "sentence with it)")
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


def parse():
    """The options, with those filled in that others imply."""
    parser = _parser()
    arguments = parser.parse_args()
    if len({other.name for other in arguments.other}) < len(arguments.other):
        parser.error("two servers of --other have the same name")
    if arguments.hinny_only and arguments.other:
        parser.error("--hinny-only leaves all rivals out: it does not go with --other")
    if arguments.aa and (arguments.hinny_only or arguments.mode or arguments.engine):
        parser.error("--aa runs no Hinny: it goes with none of --hinny-only, --mode and --engine")
    if arguments.quick and arguments.write == document.PERFORMANCE:
        parser.error("--quick claims nothing, so it does not go into docs/performance.md: give --write another file")
    if arguments.idle and arguments.write:
        parser.error("--idle is not written: it prints its table")
    if arguments.latency and "plaintext" not in (arguments.scenario or ["plaintext"]):
        parser.error("--latency is measured with --scenario plaintext")
    if arguments.syscalls and not set(arguments.scenario or syscalls.SCENARIOS) & set(syscalls.SCENARIOS):
        parser.error(f"--syscalls are counted with --scenario {' and '.join(syscalls.SCENARIOS)}")
    if arguments.routes is not None:
        arguments.routes = arguments.routes or routes_bench.NAMES
        if arguments.write == document.PERFORMANCE and set(arguments.routes) != set(routes_bench.NAMES):
            parser.error("docs/performance.md gets all rows or none: give --write another file")
        others = ("full", "idle", "aa", "peer", "other", "hinny_only", "scenario", "mode", "engine", "connections",
                  "latency", "syscalls")
        refused = [name for name in others if getattr(arguments, name)]
        if refused:
            parser.error(f"--routes does not go with --{refused[0].replace('_', '-')}")
    if arguments.full:
        arguments.peer = arguments.peer or ["all"]
        arguments.connections = arguments.connections or FULL_CONNECTIONS
        arguments.seconds = arguments.seconds or FULL_SECONDS
        arguments.latency = arguments.syscalls = True
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or 5
    if arguments.quick:
        arguments.seconds = min(arguments.seconds, 2)
    arguments.connections = arguments.connections or [64]
    wanted = set(arguments.peer or ["hyper"])
    arguments.peer = [] if arguments.hinny_only else [peer for peer in PEERS if wanted & {peer, "all"}]
    arguments.named_peers = wanted - {"all"}
    if arguments.aa:
        arguments.peer = ["hyper"]
    return arguments
