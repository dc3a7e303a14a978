"""The one command that repeats a row: the server that it is about and those that it is compared with."""

import shlex

from hinny import Hinny
from peers import PEERS

RUN = "benches/load/run.py"


def _rivals(names, target, others):
    """Names of rivals as arguments: `--peer all` when it means the same."""
    with_path = [name for name, peer in PEERS.items() if peer.serves(target)]
    known = [name for name in names if name in PEERS]
    words = ["--peer", "all"] if known and known == with_path and len(known) > 2 else [
        word for name in known for word in ("--peer", name)]
    for name in names:
        if name in others:
            words += ["--other", f"{name}={shlex.join(others[name].command(None))}"]
    return words


def _servers(kind, part, others):
    """A row of Hinny's has all its rivals beside it, a rival's has hyper and Hinny."""
    ours = [one for one in part.kinds if isinstance(one, Hinny)]
    theirs = [one for one in part.kinds if not isinstance(one, Hinny)]
    mine = kind if isinstance(kind, Hinny) else ours[0]
    rivals = theirs if kind is mine else [one for one in theirs if one in ("hyper", kind)]
    chosen = _rivals(rivals, part.scenario.path, others) or ["--hinny-only"]
    return [*chosen, "--mode", mine.mode, "--engine", mine.engine]


def of(part, kind, arguments, *more):
    """The command for the row of one server of a part; `more` are arguments that ask for what is not saturation."""
    if arguments.aa:
        return shlex.join([RUN, "--aa", "--scenario", part.scenario.name])
    others = {other.name: other for other in arguments.other}
    return shlex.join([RUN, "--scenario", part.scenario.name, "--connections", str(part.connections),
                       "--rounds", str(arguments.rounds), "--seconds", str(part.seconds), *more,
                       *_servers(kind, part, others)])


def of_handlers(part, arguments):
    """The command that compares handlers in Clojure and in Java."""
    return shlex.join([RUN, "--java-handler", "--scenario", part.scenario.name, "--connections", str(part.connections),
                       "--rounds", str(arguments.rounds), "--seconds", str(part.seconds)])


def of_idle(part, kind):
    """The command for the memory of idle connections."""
    words = ["--hinny-only"] if isinstance(kind, Hinny) else ["--peer", kind]
    mine = kind if isinstance(kind, Hinny) else next(one for one in part.kinds if isinstance(one, Hinny))
    return shlex.join([RUN, "--idle", str(part.connections), *words, "--mode", mine.mode, "--engine", mine.engine])
