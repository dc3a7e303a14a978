"""What the rules want of every response: headers, date, length, type, keep-alive."""

import datetime
import re
import time

from http_client import Closed, Connection, Malformed
from findings import WARN

DATE_FORMAT = "%a, %d %b %Y %H:%M:%S GMT"
# A date is rendered once a second, and a busy machine may be late.
DATE_MAY_BE_OLD_S = 3
DATE_STEP_S = 2.1

ACCEPT = {
    "json": "application/json,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",
    "html": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "plain": "text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",
}
CONTENT_TYPE = {
    "json": r"application/json(; ?charset=utf-8)?",
    "html": r"text/html; ?charset=utf-8",
    "plain": r"text/plain(; ?charset=utf-8)?",
}


def parse_date(text):
    """The time that a Date header says, or None where its format is not HTTP's."""
    try:
        date = datetime.datetime.strptime(text or "", DATE_FORMAT)
    except ValueError:
        return None
    # strptime takes other cases, digits and weekdays, too.
    if date.strftime(DATE_FORMAT) != text:
        return None
    return date.replace(tzinfo=datetime.timezone.utc).timestamp()


class Exchanges:
    """Makes the requests of the checks to one server, and remembers the first date of each test."""

    def __init__(self, port, findings, timeout_s=20):
        self.port = port
        self.findings = findings
        self._timeout_s = timeout_s
        self._dates = {}  # test: (path, date)

    def connect(self):
        return Connection(self.port, self._timeout_s)

    def fetch(self, path, kind):
        """One response on a connection of its own."""
        with self.connect() as connection:
            return connection.get(path, ACCEPT[kind])

    def check_first(self, test, path, kind):
        """Checks what all responses have in common; returns the response, None where there was none."""
        sent_at = time.time()
        try:
            with self.connect() as connection:
                response = connection.get(path, ACCEPT[kind])
                received_at = time.time()
                self.findings.check(test, "status", response.status == 200, str(response.status))
                self._check_headers(test, response, kind)
                self._check_date(test, path, response, sent_at, received_at)
                self._check_second(test, path, kind, connection, response)
        except (Malformed, Closed, OSError) as error:
            self.findings.check(test, "body length" if isinstance(error, Malformed) else "answer", False, str(error))
            return None
        return response

    def _check_headers(self, test, response, kind):
        findings = self.findings
        findings.check(test, "Server header", bool(response.header("server")), response.header("server") or "absent")
        findings.check(test, "size header", response.framing != "close", response.framing)
        content_type = response.header("content-type") or "absent"
        findings.check(test, "Content-Type", re.fullmatch(CONTENT_TYPE[kind], content_type, re.IGNORECASE), content_type)
        encoding = response.header("content-encoding")
        findings.check(test, "no compression", encoding in (None, "identity"), encoding or "")

    def _check_date(self, test, path, response, sent_at, received_at):
        text = response.header("date")
        if not self.findings.check(test, "Date header", text is not None, text or "absent"):
            return
        date = parse_date(text)
        if self.findings.check(test, "Date format", date is not None, text):
            fresh = sent_at - DATE_MAY_BE_OLD_S <= date <= received_at + 1
            self.findings.check(test, "Date fresh", fresh, f"{received_at - date:.1f} s old")
            self._dates[test] = (path, kind_of(response), date)

    def _check_second(self, test, path, kind, connection, first):
        """A second exchange shows whether the first ended where it said, and whether the connection was kept."""
        if first.framing == "close":
            return
        surplus = connection.surplus()
        try:
            if not surplus:
                connection.get(path, ACCEPT[kind])
            self.findings.problem(test, "body length", surplus and f"{len(surplus)} bytes after the response")
        except Malformed as error:
            self.findings.problem(test, "body length", f"after the response: {error}")
            return
        except (Closed, OSError) as error:
            self.findings.check(test, "body length", True)
            self.findings.check(test, "keep-alive", False, str(error), otherwise=WARN)
            return
        self.findings.check(test, "keep-alive", True)

    def check_dates(self):
        """Whether the dates of all tests have moved on since; the last thing to check, since it waits once for all."""
        if not self._dates:
            return
        newest = max(date for _, _, date in self._dates.values())
        time.sleep(max(0.0, newest + DATE_STEP_S - time.time()))
        for test, (path, kind, before) in self._dates.items():
            try:
                after = parse_date(self.fetch(path, kind).header("date"))
            except (Malformed, Closed, OSError):
                after = None
            seen = "none" if after is None else f"{after - before:.0f} s later"
            self.findings.check(test, "Date advances", after is not None and after > before, seen)


def kind_of(response):
    """Which of the three types a response has, for the next request's Accept."""
    content_type = response.header("content-type") or ""
    return next((kind for kind, word in (("html", "html"), ("json", "json")) if word in content_type), "plain")
