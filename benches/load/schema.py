"""What a file of raw results must have, so that the document can be made of it; checked when it is written and read.

A shape is a type or a tuple of types, a dict of shapes by field, `[shape]` for a list, `Each(shape)` for an object with
any names, `Maybe(shape)` for what may be missing or null. Fields that no shape names are allowed.
"""

NUMBER = (int, float)


class Maybe:
    """What may be missing or null."""

    def __init__(self, shape):
        self.shape = shape


class Each:
    """An object with any names, whose values have one shape."""

    def __init__(self, shape):
        self.shape = shape


SPREAD = {"median": NUMBER, "min": NUMBER, "max": NUMBER}
_FIGURES = {"rps": SPREAD, "cpu_us_per_request": SPREAD}
_CORES = {"cores_used": {"others": NUMBER, "stolen": NUMBER}}
_ROW = {
    "bench": str, "scenario": str, "server": str, "valid": bool, "error_count": int, "discarded_turns": int,
    "warm_up": {"stable": bool}, "rounds": [_CORES], "ratios": Each(_FIGURES), "rps": Maybe(SPREAD),
    "cpu_us_per_request": Maybe(SPREAD), "latency_us": Maybe({"p50": NUMBER, "p99": NUMBER}), "rss_mib": Maybe(SPREAD),
    "command": Maybe(str),
}
_AT_A_RATE = {
    "rate": NUMBER, "valid": bool, "missing": int, "latency_ms": {"p50": SPREAD, "p99": SPREAD, "p99_9": SPREAD},
}
_LOADED = {**_ROW, "connections": int}
_IN_A_STATE = {**_AT_A_RATE, "state": str, "latency_ms": {**_AT_A_RATE["latency_ms"], "max": SPREAD}}
_MEMORY = {"rss": NUMBER}
_VERDICT = {"verdict": str, "rps": Maybe(SPREAD), "cpu_us_per_request": Maybe(SPREAD), "why": Maybe(str),
            "command": Maybe(str)}

# By the name of the file; `Maybe` is for what a shorter run leaves out.
SECTIONS = {
    "bench": {
        "rows": [_LOADED],
        "handlers": Maybe([_LOADED]),
        "latency": Maybe([{
            **_AT_A_RATE, "bench": str, "scenario": str, "connections": int, "server": str, "fraction": Maybe(NUMBER),
            "send_delay_us": {"p50": NUMBER, "p99": NUMBER},
            "cores": {"server": NUMBER, "generator": NUMBER, "disturbance": NUMBER}, "command": Maybe(str)}]),
        "syscalls": Maybe([{"bench": str, "server": str, "total": NUMBER, "by_name": Each(NUMBER),
                            "command": Maybe(str)}]),
        "idle": Maybe([{
            "server": str, "connections": int, "before": _MEMORY, "held": _MEMORY, "closed": _MEMORY,
            "rss_bytes_per_connection": NUMBER, "anonymous_bytes_per_connection": NUMBER, "command": Maybe(str)}]),
        "claims": Maybe([{"name": str, "claim": str, "bound": str, **_VERDICT}]),
        "goals": Maybe([{
            "path": str, "figure": str, "verdict": str, "server": Maybe(str), "must": Maybe((str, int, float)),
            "aim": Maybe((str, int, float)), "ratio": Maybe(SPREAD), "value": Maybe((dict, int, float)),
            "unit": Maybe(str), "reference": Maybe(str), "command": Maybe(str)}]),
    },
    "routes": {
        "rows": [_ROW],
        "ready": Maybe([{**_IN_A_STATE, "rounds": [{"handler": Each(int)}]}]),
        "table": Maybe({"starts": {"first_ms": NUMBER, "later_ms": SPREAD, "small_ms": SPREAD},
                        "swaps": [{**_IN_A_STATE, "rounds": [{"swaps": int}]}]}),
        "native": Maybe({"instructions": dict, "lookups": dict}),
    },
    "instructions": {"rows": [{"name": str, "instructions": NUMBER}]},
    "verify": {"rows": [{"test": str, "check": str, "result": str, "detail": str, "variant": str, "jdk": (str, int)}]},
}
_HEAD = {"run": str, "machine": {"date": str, "commit": str, "cpu": str, "kernel": str}, "arguments": Maybe([str])}

_LABELS = ("bench", "state", "path", "name", "test", "check", "server")


def _label(index, item):
    """Which one of a list, in words that a reader finds in the file."""
    said = [str(item[name]) for name in _LABELS if name in item] if isinstance(item, dict) else []
    return f"[{index}]" + (f" ({', '.join(said)})" if said else "")


def _is_a(value, types):
    # A truth value is a number in Python.
    if isinstance(value, bool):
        return types is bool or (isinstance(types, tuple) and bool in types)
    return isinstance(value, types)


def _names(types):
    names = {int: "a number", float: "a number", str: "text", bool: "true or false", dict: "an object"}
    types = types if isinstance(types, tuple) else (types,)
    return " or ".join(dict.fromkeys(names[one] for one in types if one in names))


def _problem_in_fields(value, shapes, path):
    for name, shape in shapes.items():
        place = f"{path}.{name}" if path else name
        if isinstance(shape, Maybe):
            shape = shape.shape
            if value.get(name) is None:
                continue
        if name not in value:
            return f"{place} is missing"
        found = _problem(value[name], shape, place)
        if found:
            return found
    return None


def _problem(value, shape, path):
    """The first thing that is wrong, or None."""
    if isinstance(shape, Each):
        shape = dict.fromkeys(value, shape.shape) if isinstance(value, dict) else {}
    if isinstance(shape, dict):
        return _problem_in_fields(value, shape, path) if isinstance(value, dict) else f"{path} is not an object"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{path} is not a list"
        found = (_problem(item, shape[0], path + _label(index, item)) for index, item in enumerate(value))
        return next(filter(None, found), None)
    return None if _is_a(value, shape) else f"{path} is not {_names(shape)}"


def _twice(rows):
    """A row that is there twice, of which nobody could say which is meant."""
    seen = set()
    for index, row in enumerate(rows):
        key = row["scenario"], row["connections"], row["server"]
        if key in seen:
            return f"rows{_label(index, row)} is there twice"
        seen.add(key)
    return None


def problem(name, result):
    """What is wrong with the result of the run `name`, in one line; None when nothing is."""
    if name not in SECTIONS:
        return f"there is no run of this name; there are {', '.join(SECTIONS)}"
    if not isinstance(result, dict):
        return "it is not an object"
    found = _problem(result, {**_HEAD, **SECTIONS[name]}, "")
    if not found and result["run"] != name:
        return f"it is of the run {result['run']}"
    return found or (_twice(result["rows"]) if name == "bench" else None)
