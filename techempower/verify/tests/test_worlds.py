"""Wrong servers of db, queries and cached-queries."""

import unittest

from judging import Judged
from stub_server import App


class Array(App):
    def db(self, query):
        return self.as_json(self.rows(self.random_ids(1)))


class OtherKeys(App):
    def rows(self, ids):
        return [{"id": row["id"], "randomnumber": row["randomNumber"]} for row in super().rows(ids)]


class Strings(App):
    def rows(self, ids):
        return [{**row, "id": str(row["id"])} for row in super().rows(ids)]


class OutOfRange(App):
    def rows(self, ids):
        return [{**row, "id": row["id"] + 10_000} for row in super().rows(ids)]


class MadeUp(App):
    def rows(self, ids):
        super().rows(ids)
        return [{"id": row_id, "randomNumber": 1 + row_id % 100} for row_id in ids]


class NeverAsked(App):
    """Rows that are right, from the application's memory."""

    def rows(self, ids):
        return [{"id": row_id, "randomNumber": self.database.world[row_id]} for row_id in ids]


class AskedOnce(NeverAsked):
    """One query with IN, which gives all rows."""

    def rows(self, ids):
        self.database.count("select", 1, len(ids))
        return super().rows(ids)


class RowsNotRead(NeverAsked):
    def rows(self, ids):
        self.database.count("select", len(ids), 0)
        return super().rows(ids)


class NotRandom(App):
    def random_ids(self, count):
        return [7] * count


class NotClamped(App):
    def count_of(self, query, parameter):
        return int(query[parameter][0])

    def random_ids(self, count):
        return super().random_ids(max(0, count))


class NoUpperBound(App):
    def count_of(self, query, parameter):
        return min(1000, max(super().count_of(query, parameter), int((query.get(parameter) or ["0"])[0])))


class RefusesNonsense(App):
    def count_of(self, query, parameter):
        if not query.get(parameter, ["1"])[0].lstrip("-").isdigit():
            raise ValueError
        return super().count_of(query, parameter)


class ThirtyTwoBits(App):
    def count_of(self, query, parameter):
        count = int((query.get(parameter) or ["1"])[0] or "1")
        if count >= 2**31:
            raise OverflowError
        return super().count_of(query, parameter)


class OneTooFew(App):
    def rows(self, ids):
        return super().rows(ids[:-1] if len(ids) == 20 else ids)


class NoCache(App):
    def cached_queries(self, query):
        return self.as_json(self.rows(self.random_ids(self.count_of(query, "count"))))


class StaleCache(App):
    def cached_queries(self, query):
        rows = self.rows(self.random_ids(self.count_of(query, "count")))
        return self.as_json([{**row, "randomNumber": row["randomNumber"] % 10_000 + 1} for row in rows])


class DbTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "db")

    def test_wrong_servers_fail(self):
        self.assert_each("db", {Array: "body", OtherKeys: "body", Strings: "body", OutOfRange: "body",
                                MadeUp: "database's rows", NotRandom: "random ids", NeverAsked: "queries executed"})


class QueriesTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "queries")

    def test_wrong_servers_fail(self):
        self.assert_each("queries", {
            OtherKeys: "queries=2", Strings: "queries=1", OutOfRange: "queries=20", MadeUp: "database's rows",
            NotRandom: "random ids", NeverAsked: "queries executed", AskedOnce: "queries executed",
            RowsNotRead: "rows read", OneTooFew: "at once", NoUpperBound: "queries=501",
            ThirtyTwoBits: "queries=2147483648"})

    def test_each_value_that_is_not_clamped_fails(self):
        findings = self.judge(NotClamped, "queries")
        for check in ("no queries", "queries=", "queries=foo", "queries=1.5", "queries=-3", "queries=0", "queries=501"):
            self.assertEqual(["FAIL"], findings.results("queries", check), check)
        self.assertEqual(["PASS"], findings.results("queries", "queries=500"))

    def test_nonsense_that_is_refused_fails(self):
        self.assert_result(RefusesNonsense, "queries", "queries=foo", "FAIL")


class CachedQueriesTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "cached-queries")

    def test_wrong_servers_fail(self):
        self.assert_each("cached-queries", {NoCache: "cache", StaleCache: "database's rows", NotRandom: "random ids",
                                            NoUpperBound: "count=501", RefusesNonsense: "count=foo"})
