"""What a comparison of two trees says: verdicts against the noise, instructions, Markdown."""

import tables
from report import ratio, spread

FIGURES = {"rps": "rps", "cpu_us_per_request": "CPU µs/request"}
BASE, HEAD, AGAIN = "base", "head", "base again"

# What counts of one and the same program differ by, at most.
SAME_COUNT = 0.002


def verdict(figure, seen, noise):
    """`seen` is outside the noise when its median is beyond all that two processes of one commit differed by, in any turn.
    More rps is better, more CPU worse."""
    least, greatest = min(noise["min"], 1), max(noise["max"], 1)
    if least <= seen["median"] <= greatest:
        return "within noise"
    return "better" if (seen["median"] > 1) == (figure == "rps") else "worse"


def row(name, server, rounds, discarded):
    """One row: all figures with their ratios and verdicts; none when a round had errors."""
    valid = all(entry["valid"] for entries in rounds.values() for entry in entries)
    result = {"name": name, "server": server, "valid": valid, "discarded_turns": discarded, "rounds": rounds, "figures": {}}
    if valid and rounds[BASE]:
        for figure in FIGURES:
            seen, noise = (ratio(rounds[side], rounds[BASE], figure) for side in (HEAD, AGAIN))
            result["figures"][figure] = {
                **{side: spread([entry[figure] for entry in rounds[side]]) for side in (BASE, HEAD)},
                "ratio": seen, "noise": noise, "verdict": verdict(figure, seen, noise)}
    return result


def load(rows):
    """The figures of loaded servers."""
    lines = []
    for entry in rows:
        for figure, title in FIGURES.items():
            found = entry["figures"].get(figure)
            form = ",.0f" if figure == "rps" else ".2f"
            lines.append([entry["name"], title] + (
                [f"{found[BASE]['median']:{form}}", f"{found[HEAD]['median']:{form}}", tables.cell(found["ratio"], ".3f"),
                 tables.cell(found["noise"], ".3f"), found["verdict"]] if found else ["–"] * 4 + ["**INVALID**"]))
    return tables.table(["", "figure", "base", "head", "head / base", "noise: base again / base", "verdict"], lines)


def instructions(base, head):
    """What differs, of the cases that both trees count; the rest in a sentence."""
    both = [name for name in head if name in base]
    changed = [name for name in both if abs(head[name] / base[name] - 1) > SAME_COUNT]
    lines = [[name, f"{base[name]:,}", f"{head[name]:,}", f"{head[name] / base[name]:.4f}"] for name in changed]
    found = tables.table(["instructions of a call or request", "base", "head", "head / base"], lines) if lines else []
    found.append(f"{len(both) - len(changed)} of {len(both)} cases have the same count, within {SAME_COUNT * 100:.1f} %.")
    for side, other, where in ((base, head, "base"), (head, base, "head")):
        alone = [name for name in side if name not in other]
        if alone:
            found.append(f"Only in {where}: {', '.join(alone)}.")
    return [*found, ""]
