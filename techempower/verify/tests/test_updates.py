"""Wrong servers of updates."""

import unittest

from judging import Judged
from stub_server import App


class NeverWrites(App):
    def write(self, rows):
        self.database.count("update", len(rows), len(rows))


class WritesHalf(App):
    def write(self, rows):
        super().write(rows[::2])


class WritesOthers(App):
    """Each row gets a number, but another than was answered."""

    def write(self, rows):
        super().write([{**row, "randomNumber": row["randomNumber"] % 10_000 + 1} for row in rows])


class WritesAll(App):
    """Whatever is asked for, the whole table gets the number of the first row."""

    def write(self, rows):
        everything = [{"id": row_id, "randomNumber": 10_001 - number} for row_id, number in self.database.worlds().items()]
        super().write([*everything, *rows])


class OneNumberForAll(App):
    def new_number(self, _old):
        return 4711


class KeepsNumbers(App):
    def new_number(self, old):
        return old


class NeverReads(App):
    def rows(self, ids):
        return [{"id": row_id, "randomNumber": 1} for row_id in ids]


class WritesAfterwards(App):
    """Writes what was answered when the next request comes, as a queue would."""

    def __init__(self, database, clock):
        super().__init__(database, clock)
        self._waiting = []

    def write(self, rows):
        waiting, self._waiting = self._waiting, rows
        super().write(waiting)


class UpdatesTest(Judged, unittest.TestCase):
    def test_a_right_server_passes(self):
        self.assert_passes(App, "updates")

    def test_wrong_servers_fail(self):
        self.assert_each("updates", {
            NeverWrites: "rows written of 500", WritesHalf: "rows written of 20", WritesOthers: "rows written of 500",
            WritesAfterwards: "rows written of 500", WritesAll: "no other row of 20", OneNumberForAll: "random numbers",
            KeepsNumbers: "rows changed of 500", NeverReads: "queries executed"})

    def test_a_server_that_never_writes_fails_all_that_look_at_the_table(self):
        findings = self.judge(NeverWrites, "updates")
        self.assertEqual(["FAIL"], findings.results("updates", "rows changed of 500"))
        # Its answers and its statements are as they should be.
        self.assertEqual(["PASS"], findings.results("updates", "answer of 500"))
        self.assertEqual(["PASS"], findings.results("updates", "rows updated"))

    def test_updates_that_are_not_counted_fail(self):
        self.assert_result(WritesHalf, "updates", "rows updated", "FAIL")
