"""What the verifier asks the database itself, beside the server: rows, and how many statements ran."""

import csv
import io
import subprocess

APPLICATION_USER = "benchmarkdbuser"


class DatabaseView:
    """`query` is a function of SQL that returns rows of strings, as the superuser."""

    def __init__(self, query):
        self._query = query

    def worlds(self):
        """All rows of World, number by id."""
        return {int(row_id): int(number) for row_id, number in self._query("SELECT id, randomnumber FROM world")}

    def fortunes(self):
        """All rows of Fortune, message by id."""
        return {int(row_id): message for row_id, message in self._query("SELECT id, message FROM fortune")}

    def add_fortune(self, row_id, message):
        quoted = message.replace("'", "''")
        self._query(f"INSERT INTO fortune VALUES ({row_id}, '{quoted}')")

    def remove_fortune(self, row_id):
        self._query(f"DELETE FROM fortune WHERE id = {row_id}")

    def forget_statements(self):
        self._query("SELECT pg_stat_statements_reset()")

    def statements(self, verb):
        """The application's statements on World that begin with `verb`, since they were forgotten: how many ran, and
        how many rows they read or wrote."""
        rows = self._query("SELECT query, calls, rows FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid "
                           f"WHERE rolname = '{APPLICATION_USER}'")
        found = [(int(calls), int(count)) for text, calls, count in rows
                 if text.lstrip().lower().startswith(verb) and "world" in text.lower()]
        return sum(calls for calls, _ in found), sum(count for _, count in found)


def query_with(psql):
    """A function for DatabaseView from psql's command line."""
    def query(sql):
        output = subprocess.run([*psql, "--csv", "--tuples-only", "--command", sql], stdout=subprocess.PIPE,
                                encoding="utf-8", check=True).stdout
        return list(csv.reader(io.StringIO(output)))
    return query
