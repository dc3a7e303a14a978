#!/usr/bin/env python3
"""Makes docs/performance.md, its plots and the README's sentence of the raw results; nothing is measured.

    benches/load/performance.py            # writes them
    benches/load/performance.py --check    # exit code 1 when one is not what the results give
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True  # leave no cache beside the sources

import document
from failure import Failure
from progress import say
from server_process import ROOT


def main():
    parser = argparse.ArgumentParser(description="Makes docs/performance.md of the raw results in benches/load/results.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a document does not fit")
    check = parser.parse_args().check
    try:
        paths = document.differences() if check else document.publish()
    except Failure as failure:
        say(f"performance.py: {failure}")
        return failure.code
    for path in paths:
        say(f"{os.path.relpath(path, ROOT)}: {'not what the results give: make bench-report' if check else 'written'}")
    return 1 if check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
