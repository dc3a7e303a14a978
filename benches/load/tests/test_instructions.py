"""The gate on instruction counts can fail, and says of what."""

import contextlib
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

import instruction_table as table
import instructions
from failure import Failure

RECORDED = {"query": 2_000, "json": 100_000, "path": 100}


def gate(recorded, counts):
    """Whether the gate lets these counts pass, and all that it says."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        passes = instructions.check(counts, recorded)
    return passes, said.getvalue()


class Gate(unittest.TestCase):
    def test_the_same_counts_pass(self):
        passes, said = gate(RECORDED, RECORDED)
        self.assertTrue(passes)
        self.assertEqual(said, "3 passed, 0 failed\n")

    def test_a_value_recorded_10_percent_too_low_fails_and_is_named(self):
        for name in ("query", "json"):
            passes, said = gate({**RECORDED, name: RECORDED[name] * 9 // 10}, RECORDED)
            self.assertFalse(passes)
            self.assertIn(f"WRONG: {name}: ", said)
            self.assertIn("+11.1 %", said)
            self.assertIn("2 passed, 1 failed", said)

    def test_what_is_within_the_tolerance_passes(self):
        passes, _ = gate(RECORDED, {"query": 2_040, "json": 102_000, "path": 110})
        self.assertTrue(passes)

    def test_one_instruction_more_than_allowed_fails(self):
        for name, count in {"query": 2_041, "json": 102_001, "path": 111}.items():
            passes, said = gate(RECORDED, {**RECORDED, name: count})
            self.assertFalse(passes)
            self.assertIn(name, said)

    def test_what_got_better_passes_and_asks_to_be_recorded(self):
        passes, said = gate(RECORDED, {**RECORDED, "json": 97_000})
        self.assertTrue(passes)
        self.assertIn("improved: json: 97,000, recorded 100,000 (-3.0 %)", said)
        self.assertIn("make instructions-record", said)

    def test_a_case_that_only_one_side_has_fails(self):
        for recorded, counts in ((RECORDED, {**RECORDED, "new": 1}), ({**RECORDED, "new": 1}, RECORDED)):
            passes, said = gate(recorded, counts)
            self.assertFalse(passes)
            self.assertIn("WRONG: new: ", said)


class Table(unittest.TestCase):
    WITH = {"rustc": "1.95.0", "host": "x86_64-unknown-linux-gnu", "simd": "AVX2", "libc": "glibc 2.36"}

    def test_what_is_written_is_read_again(self):
        self.assertEqual(table.parse(table.text(self.WITH, RECORDED)), (self.WITH, RECORDED))

    def test_a_line_without_a_count_is_refused(self):
        with self.assertRaisesRegex(Failure, "query"):
            table.parse("query\tmany\n")

    def test_counts_of_another_compiler_or_processor_are_not_compared(self):
        for name in ("rustc", "host", "simd"):
            self.assertIn(name, table.unlike(self.WITH, {**self.WITH, name: "another"}))

    def test_counts_with_another_libc_are_compared(self):
        self.assertIsNone(table.unlike(self.WITH, {**self.WITH, "libc": "glibc 2.41"}))


if __name__ == "__main__":
    unittest.main()
