"""Verdicts of a comparison of two trees: only what is beyond the noise is better or worse."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

import compare_tables
from compare_tables import AGAIN, BASE, HEAD


def rounds(rps, cpu, valid=True):
    """Rounds of one server."""
    return [{"rps": one, "cpu_us_per_request": other, "valid": valid} for one, other in zip(rps, cpu)]


def verdicts(head, again):
    """Of rps and CPU, where base has 100 and 10 in each round."""
    base = rounds([100, 100, 100], [10, 10, 10])
    row = compare_tables.row("plaintext", "hinny", {BASE: base, HEAD: head, AGAIN: again}, 0)
    return [row["figures"][figure]["verdict"] for figure in ("rps", "cpu_us_per_request")]


class Verdict(unittest.TestCase):
    AGAIN = rounds([95, 99, 103], [9.8, 10, 10.3])

    def test_the_same_commit_is_within_the_noise(self):
        self.assertEqual(verdicts(self.AGAIN, self.AGAIN), ["within noise"] * 2)

    def test_more_rps_and_less_cpu_than_any_noise_are_better(self):
        self.assertEqual(verdicts(rounds([110, 104, 90], [9, 9, 12]), self.AGAIN), ["better"] * 2)

    def test_less_rps_and_more_cpu_than_any_noise_are_worse(self):
        self.assertEqual(verdicts(rounds([94, 94, 120], [11, 10.4, 9]), self.AGAIN), ["worse"] * 2)

    def test_noise_that_lies_on_one_side_excuses_nothing_on_the_other(self):
        again = rounds([90, 92, 94], [11, 11, 11])
        self.assertEqual(verdicts(rounds([101, 101, 101], [9, 9, 9]), again), ["better"] * 2)

    def test_a_round_with_errors_gives_no_figure(self):
        base = rounds([100], [10])
        row = compare_tables.row("plaintext", "hinny", {BASE: base, HEAD: rounds([200], [5], valid=False), AGAIN: base}, 0)
        self.assertEqual(row["figures"], {})
        self.assertIn("**INVALID**", "\n".join(compare_tables.load([row])))


class Instructions(unittest.TestCase):
    def test_what_differs_is_listed_and_the_rest_is_counted(self):
        text = "\n".join(compare_tables.instructions({"a": 1_000, "b": 1_000, "old": 5}, {"a": 1_001, "b": 990, "new": 5}))
        self.assertIn("| b | 1,000 | 990 | 0.9900 |", text)
        self.assertNotIn("| a |", text)
        self.assertIn("1 of 2 cases have the same count, within 0.2 %.", text)
        self.assertIn("Only in base: old.", text)
        self.assertIn("Only in head: new.", text)


if __name__ == "__main__":
    unittest.main()
