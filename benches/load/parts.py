"""What the sections of docs/performance.md are put together from: plots, commands, and the word on missing data."""

import results


def missing(run):
    """The one line in place of a section whose data is not there."""
    return [f"Not measured yet: `{results.COMMANDS[run]}` does it.", ""]


def heading(title, lines, run):
    """A section that is always there."""
    return [f"## {title}", "", *(lines or missing(run))]


def plot(plots, name, what):
    """A plot, if it was drawn."""
    return [f"![{what}](performance/{name})", ""] if name in plots else []


def repeat(pairs):
    """Of (row, command) pairs: how each row is repeated."""
    labels = {}
    for label, command in dict.fromkeys(pairs):
        labels.setdefault(command, []).append(label)
    if len(labels) == 1 and None not in labels:
        return [f"Repeat it: `{next(iter(labels))}`", ""]
    labels.pop(None, None)
    if not labels:
        return []
    return ["<details><summary>Repeat a row</summary>", "",
            *(f"- {'; '.join(which)}: `{command}`" for command, which in labels.items()), "", "</details>", ""]
