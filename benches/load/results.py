"""The raw results of runs: one file of JSON for each kind of run, committed, of which docs/performance.md is made.

A file has one row a line, and the same order of fields always, so that the difference of two runs can be read.
"""

import json
import os
import re

import schema
from failure import Failure
from server_process import ROOT

DIRECTORY = os.path.join(ROOT, "benches", "load", "results")
REFUSED = os.path.join(ROOT, "target")

# What makes the file of each run.
COMMANDS = {
    "bench": "make bench",
    "routes": "benches/load/run.py --routes --save",
    "instructions": "make bench-instructions ARGS=--save",
    "verify": "make techempower-verify ARGS=--save",
}
NAMES = tuple(COMMANDS)

# Fields of a row that come first and last; the others stand between them in alphabetical order.
_FIRST = ("name", "path", "test", "check", "result", "state", "bench", "scenario", "connections", "server", "fraction",
          "rate", "valid", "error_count", "missing")
_LAST = ("ratios", "rounds")


def path_of(name, directory=DIRECTORY):
    return os.path.join(directory, f"{name}.json")


def _ordered(row):
    """A row with its fields in the order of files."""
    middle = sorted(name for name in row if name not in _FIRST + _LAST)
    names = [*(name for name in _FIRST if name in row), *middle, *(name for name in _LAST if name in row)]
    return {name: row[name] for name in names}


def _line(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _text(value, depth):
    """JSON in which each row, and each entry of the outer objects, has a line of its own."""
    indent = "  " * depth
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        lines = ",\n".join(f"{indent}  {_line(_ordered(item))}" for item in value)
        return f"[\n{lines}\n{indent}]"
    if isinstance(value, dict) and value and depth < 3:
        lines = ",\n".join(f"{indent}  {_line(name)}: {_text(item, depth + 1)}" for name, item in value.items())
        return f"{{\n{lines}\n{indent}}}"
    return _line(value)


def _require(name, result, what):
    found = schema.problem(name, result)
    if found:
        raise Failure(f"{what}: {found}")


def _without_paths(arguments):
    """A command line that means something on other machines, too: of an absolute path, only the program's name."""
    return [re.sub(r"^(-[^=]*=)?/.*/", r"\1", argument) for argument in arguments]


def _whole(name, result):
    """What the file of a run has, in the order of files."""
    rest = {key: value for key, value in result.items() if key not in ("run", "machine", "arguments", "text")}
    sections = schema.SECTIONS.get(name, {})
    head = {"run": name, **({"machine": result["machine"]} if "machine" in result else {}),
            **({"arguments": _without_paths(result["arguments"])} if "arguments" in result else {})}
    return {**head, **{key: rest[key] for key in [*(key for key in sections if key in rest),
                                                  *sorted(rest.keys() - sections.keys())]}}


def check(name, result):
    """A Failure when the result of the run `name` is not what the document needs; the text of its file."""
    whole = _whole(name, result)
    _require(name, whole, f"the result of {name}")
    try:
        return _text(whole, 0) + "\n"
    except ValueError as error:
        raise Failure(f"the result of {name}: {error}") from None


def save(name, result, directory=DIRECTORY, refused=REFUSED):
    """Writes the result of the run `name`; a Failure when it is not what the document needs. A long run is not lost then:
    it is in the directory `refused`."""
    try:
        text = check(name, result)
    except Failure as failure:
        os.makedirs(refused, exist_ok=True)
        with open(path_of(name, refused), "w", encoding="utf-8") as file:
            json.dump(result, file, ensure_ascii=False)
        raise Failure(f"{failure}; it is not saved, but kept in {path_of(name, refused)}") from None
    os.makedirs(directory, exist_ok=True)
    with open(path_of(name, directory), "w", encoding="utf-8") as file:
        file.write(text)


def load(name, directory=DIRECTORY):
    """The result of the run `name`, or None when there is none."""
    path = path_of(name, directory)
    try:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Failure(f"{path}: {error}") from None
    _require(name, result, path)
    return result


def load_all(directory=DIRECTORY):
    """The results that there are, by the name of their run."""
    found = {name: load(name, directory) for name in NAMES}
    return {name: result for name, result in found.items() if result}


def cores(machine):
    """How many cores the run had, of its header."""
    match = re.search(r"(\d+) cores?$", machine["cpu"])
    if not match:
        raise Failure(f"the header does not say how many cores there were: {machine['cpu']!r}")
    return int(match[1])
