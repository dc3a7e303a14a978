#!/usr/bin/env python3
"""Counts the instructions of the cases of benches/native, with callgrind.

Started by scripts/bench-instructions.sh, which builds the program; scripts/bench-compare.sh counts with it too.

Invariants:
- A count is the difference of a long and a short run, so what happens once is not in it.
- Nothing of this machine is in it that can be kept out: a case runs on one thread, in an environment of nothing but a
  locale, and callgrind shows it one and the same processor wherever there is AVX2 (else glibc and memchr take other ways).

Threads: as many valgrinds at once as there are cores; counts do not depend on that.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True  # leave no cache beside the sources

import document
import instruction_table as table
import report
import results
from failure import Failure
from progress import say
from server_process import ROOT

ENVIRONMENT = {"LC_ALL": "C"}
CANNOT = 3  # exit code: nothing is wrong, but this machine cannot tell


def _output(command, what):
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{what} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done


def _valgrind():
    found = shutil.which("valgrind")
    if not found:
        raise Failure("valgrind is missing -- get it: apt-get install valgrind", CANNOT)
    return found


def _has_avx2():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
        return any(line.startswith("flags") and " avx2 " in f"{line.strip()} " for line in info)


def taken_with():
    """What counts depend on, of here."""
    said = subprocess.run(["rustc", "-vV"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    facts = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    return {
        "rustc": said.partition("\n")[0].removeprefix("rustc ") or "missing",
        "host": facts.get("host", "unknown"),
        "simd": "AVX2" if _has_avx2() else "no AVX2",
        "libc": " ".join(platform.libc_ver()),
        "valgrind": _output([_valgrind(), "--version"], "valgrind").stdout.strip().removeprefix("valgrind-"),
    }


class Counter:
    """Counts the cases of one program, `hinny-benches` of some tree."""

    def __init__(self, program):
        self.program = program

    def cases(self):
        """Name, units, times of a short and of a long run, of each case; a Failure when the program has none."""
        listed = _output([self.program, "list"], f"{self.program} list").stdout
        return [(name, *map(int, numbers)) for name, *numbers in (line.split("\t") for line in listed.splitlines())]

    def _collected(self, name, times):
        done = _output([_valgrind(), "--tool=callgrind", "--callgrind-out-file=/dev/null", self.program, "run", name,
                        str(times)], f"the run of {name}")
        return int(re.search(r"Collected : (\d+)", done.stderr).group(1))

    def count(self):
        """Instructions of one call or request, by the name of the case."""
        cases = self.cases()
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            runs = {name: [pool.submit(self._collected, name, times) for times in (few, many)]
                    for name, _, few, many in cases}
            try:
                return {name: round((runs[name][1].result() - runs[name][0].result()) / ((many - few) * units))
                        for name, units, few, many in cases}
            finally:
                pool.shutdown(cancel_futures=True)


def check(counts, recorded):
    """Says what differs from the table; whether nothing is worse."""
    wrong, better = table.compare(recorded, counts)
    for line in better:
        say(f"improved: {line}")
    for line in wrong:
        say(f"WRONG: {line}")
    if wrong:
        say(f"more than {table.TOLERANCE * 100:.0f} % above {os.path.relpath(table.PATH, ROOT)}, or not in it; where that is "
            "meant: make instructions-record, and say why in the commit")
    elif better:
        say("improved: record it with make instructions-record")
    print(f"{len(counts) - len(wrong)} passed, {len(wrong)} failed")
    return not wrong


def save(counts, facts):
    """Writes the counts as a raw result, and makes the documents of it."""
    results.save("instructions", {"machine": report.machine(facts), "rows": [
        {"name": name, "instructions": count} for name, count in counts.items()]})
    document.publish()


def _arguments():
    parser = argparse.ArgumentParser(description="Counts instructions of the cases of benches/native.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--ready", action="store_true", help="only say whether this machine can check")
    what.add_argument("--program", metavar="PATH", help="the built hinny-benches")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true",
                      help=f"hold the counts against the table; exit code {CANNOT} where this machine cannot")
    what.add_argument("--record", action="store_true", help="write them into the table")
    what.add_argument("--save", action="store_true", help="write them into benches/load/results/instructions.json")
    parser.add_argument("--table", default=table.PATH, metavar="FILE", help="the table (default: that of this tree)")
    return parser.parse_args()


def _run(arguments):
    facts = taken_with()
    if arguments.check or arguments.ready:
        recorded_with, recorded = table.read(arguments.table)
        unlike = table.unlike(recorded_with, facts)
        if unlike:
            raise Failure(unlike, CANNOT)
    if arguments.ready:
        return True
    counts = Counter(arguments.program).count()
    if arguments.check:
        return check(counts, recorded)
    if arguments.record:
        with open(arguments.table, "w", encoding="utf-8") as file:
            file.write(table.text(facts, counts))
        say(f"wrote {arguments.table}")
    elif arguments.save:
        save(counts, facts)
    else:
        print(table.text(facts, counts), end="")
    return True


def main():
    try:
        return 0 if _run(_arguments()) else 1
    except Failure as failure:
        say(f"instructions.py: {failure}")
        return failure.code


if __name__ == "__main__":
    sys.exit(main())
