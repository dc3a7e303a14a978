"""Plans of runs, without a machine: lineups that have every server."""

import arguments
import plan
from database_bench import DatabaseLineup
from lineup import Lineup
from peers import PEERS

ENOUGH = 19_500  # connections


class _Everything:
    """What makes a lineup have all rivals that are asked for, and a JDK with virtual threads."""

    def rivals(self):
        return [*self._arguments.peer, *(other.name for other in self._arguments.other)]

    def possible(self, kinds, named):
        return kinds


class _Main(_Everything, Lineup):
    pass


class _Database(_Everything, DatabaseLineup):
    pass


def of(words, most_connections=ENOUGH):
    """The options of a command line, and the parts of its run."""
    options = arguments.parse(words)
    lineups = {plan.MAIN: _Main(options, []), plan.DATABASE: _Database(options, []), plan.IDLE: _Main(options, [])}
    if options.full:
        options.syscalls = True
    return options, plan.of(options, plan.Choice(options, lineups), most_connections)


ALL_PEERS = list(PEERS)
