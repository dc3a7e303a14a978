"""The test type fortunes: a page of HTML."""

from html.parser import HTMLParser

from http_client import Closed, Malformed

ADDED = (0, "Additional fortune added at request time.")
# Neither counts: they change nothing of what is shown.
IGNORED_TAGS = {"meta", "link", "thead", "tbody"}
# Every character that HTML has a meaning for, in a row that is there for one request only.
GUEST_ID = 9001
GUEST = """<b id="x">&lt;'&amp;'</b>"""


class _Tokens(HTMLParser):
    """A page as (kind, text), with references resolved and blanks around texts dropped."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tokens = []

    def handle_decl(self, decl):
        self.tokens.append(("declaration", decl.lower()))

    def handle_starttag(self, tag, attrs):
        if tag not in IGNORED_TAGS:
            self.tokens.append(("start", tag))

    def handle_endtag(self, tag):
        if tag not in IGNORED_TAGS:
            self.tokens.append(("end", tag))

    def handle_data(self, data):
        if data.strip():
            self.tokens.append(("text", data.strip()))


def tokens_of(html):
    parser = _Tokens()
    parser.feed(html)
    parser.close()
    return parser.tokens


def _element(tag, *inner):
    return [("start", tag), *(token for part in inner for token in part), ("end", tag)]


def _row(tag, *texts):
    return _element("tr", *(_element(tag, [("text", text)]) for text in texts))


def expected_tokens(rows):
    """The page that shows these (id, message) in this order."""
    table = _element("table", _row("th", "id", "message"), *(_row("td", str(row_id), text) for row_id, text in rows))
    return [("declaration", "doctype html"),
            *_element("html", _element("head", _element("title", [("text", "Fortunes")])), _element("body", table))]


def expected_rows(table):
    return sorted([*table.items(), ADDED], key=lambda row: row[1])


def shown_rows(tokens):
    """The (id, message) of each row of the page that has two cells, as far as it can be read."""
    rows, cells, text = [], [], None
    for kind, value in tokens:
        if (kind, value) == ("start", "tr"):
            cells = []
        elif (kind, value) == ("start", "td"):
            text = ""
        elif (kind, value) == ("end", "td") and text is not None:
            cells.append(text)
            text = None
        elif (kind, value) == ("end", "tr") and len(cells) == 2 and cells[0].isdecimal():
            rows.append((int(cells[0]), cells[1]))
        elif text is not None:
            text += value if kind == "text" else f"<{value}>"
    return rows


def _first_difference(seen, wanted):
    if seen == wanted:
        return None
    for position, (ours, theirs) in enumerate(zip(seen, wanted)):
        if ours != theirs:
            return f"at {position}: {ours[0]} {ours[1][:60]!r} in place of {theirs[0]} {theirs[1][:60]!r}"
    return f"{len(seen)} tags and texts, not {len(wanted)}"


def verify_fortunes(exchanges, database, path="/fortunes"):
    findings = exchanges.findings
    response = exchanges.check_first("fortunes", path, "html")
    if response is None:
        return
    try:
        html = response.body.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.check("fortunes", "UTF-8", False, str(error))
        return
    table = database.fortunes()
    wanted = expected_rows(table)
    tokens = tokens_of(html)
    shown = shown_rows(tokens)
    foreign = [message for message in table.values() if not message.isascii()]
    findings.check("fortunes", "UTF-8", all(message in html for message in foreign), f"{len(foreign)} messages beyond ASCII")
    findings.check("fortunes", "escaping", ("start", "script") not in tokens, "no script is in the page")
    findings.check("fortunes", "added row", ADDED in shown, ADDED[1])
    findings.check("fortunes", "rows", sorted(shown) == sorted(wanted), f"{len(shown)} of {len(wanted)}")
    findings.check("fortunes", "order", [text for _, text in shown] == sorted(text for _, text in shown), "by message")
    findings.problem("fortunes", "HTML", _first_difference(tokens, expected_tokens(wanted)))
    findings.problem("fortunes", "read at each request", _guest_problem(exchanges, database, path))


def _guest_problem(exchanges, database, path):
    """A row that has just been inserted must be shown, escaped and in its place, and be gone when it is deleted."""
    database.add_fortune(GUEST_ID, GUEST)
    try:
        with_guest = exchanges.fetch(path, "html").body.decode("utf-8", "replace")
        wanted = expected_tokens(expected_rows(database.fortunes()))
    except (Malformed, Closed, OSError) as error:
        return str(error)
    finally:
        database.remove_fortune(GUEST_ID)
    problem = _first_difference(tokens_of(with_guest), wanted)
    return f"with a row inserted, {problem}" if problem else None
