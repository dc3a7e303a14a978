"""docs/performance.md: what is in the results is in it, what is not names its command, and no claim rests on errors."""

import copy
import os
import tempfile
import unittest
from unittest import mock

import document
import fake
import page
import plots
import results
import tables
import titles
from failure import Failure


def page_of(found):
    return page.text(found, plots.draw(found))


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = results.load_all(fake.DATA)
        cls.text = page_of(cls.found)

    def _section(self, title):
        return self.text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]

    def test_every_server_and_plot_is_there(self):
        for row in self.found["bench"]["rows"]:
            self.assertRegex(self.text, rf"\| {titles.server(row['server']).replace('(', '.').replace(')', '.')} \|")
        for name in plots.draw(self.found):
            self.assertIn(f"](performance/{name})", self.text)

    def test_every_run_names_its_machine(self):
        for name in results.NAMES:
            self.assertIn(f"results/{name}.json", self._section("The runs"))
        full = self._section("The runs in full")
        for fact, value in fake.MACHINE.items():
            self.assertIn(f"- {fact}: {value}", full)
        self.assertIn("`benches/load/run.py --full --java java --save`", full)

    def test_every_table_says_how_to_repeat_it(self):
        for title in ("The goals", "The claims", "Saturation", "Latency against rate", "Scaling with connections",
                      "The realistic small service", "The database tests", "System calls", "Idle connections", "Routes",
                      "Instructions in Rust", "The rules of TechEmpower"):
            with self.subTest(title):
                self.assertRegex(self._section(title), "`(benches/load/run.py|make) [^`]+`")

    def test_missing_sections_name_their_command(self):
        text = page_of({})
        for command in results.COMMANDS.values():
            self.assertIn(f"Not measured yet: `{command}`", text)
        self.assertNotIn("| rps", text)

    def test_a_shorter_run_leaves_out_only_its_sections(self):
        bench = self.found["bench"]
        text = page_of({"bench": {name: bench[name] for name in ("run", "machine", "rows")}})
        self.assertIn("rps-plaintext.svg", text)
        self.assertIn("## Idle connections\n\nNot measured yet: `make bench`", text)

    def test_invalid_rows_have_no_ratio(self):
        rows = [row for row in self.found["bench"]["rows"] if row["scenario"] == "json"]
        line = next(line for line in tables.figures(rows) if "| Netty |" in line)
        self.assertIn("**INVALID** (7)", line)
        self.assertIn("| – | – |", line)
        broken = copy.deepcopy(rows)
        for row in broken:
            row["valid"] = False
        self.assertEqual([], tables.rivals(broken))
        self.assertEqual([], tables.verdicts(broken))

    def test_rows_without_figures_and_unknown_names_are_shown(self):
        silent = fake.row("plaintext", "netty", 1000, valid=False)
        for figure in ("rps", "cpu_us_per_request", "latency_us", "rss_mib", "command"):
            del silent[figure]
        text = page_of({"bench": {**self.found["bench"], "rows": [silent, fake.row("new-thing", "mine", 1000)]}})
        self.assertIn("| Netty | – | – | – | **INVALID** (0) |", text)
        self.assertIn("### new-thing", text)
        self.assertIn("| mine | 1,000", text)

    def test_goals_have_a_line_each(self):
        goals = self._section("The goals")
        self.assertIn("| 1.20 (1.08–1.32) × hyper's | aim met |", goals)
        self.assertIn("**missed**", goals)
        self.assertIn("10,000 bytes", goals)
        self.assertIn("asserted by benches/native/tests", goals)

    def test_claims_say_why_they_are_not_measured(self):
        claims = self._section("The claims")
        self.assertIn("not measured: it cannot be had here", claims)
        self.assertIn(r"10 % \| more", claims)

    def test_what_was_not_verified_is_shown_in_full(self):
        rules = self._section("The rules of TechEmpower")
        self.assertIn("| plaintext | 2 of 2 passed | 2 of 2 passed |", rules)
        self.assertIn("0 of 1 passed, **1 FAIL**", rules)
        self.assertIn(r"| app worker | json | body | FAIL | seen: a \| b |", rules)
        self.assertNotIn("Date is fresh", rules)

    def test_answers_of_the_handler_are_counted_after_a_file(self):
        self.assertRegex(self._section("Routes"), r"\| pool full \|.*\| 100 \| 200 \| 30 \|")

    def test_readme_sentence(self):
        sentence = tables.summary(self.found["bench"]["rows"], 2)
        self.assertIn("on 2 cores", sentence)
        self.assertIn("1.25 × those of the best of Netty", sentence)
        self.assertIsNone(tables.summary([], 2))


class Documents(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        paths = {"PERFORMANCE": "performance.md", "PLOTS": "performance", "README": "README.md"}
        for name, file in paths.items():
            patch = mock.patch.object(document, name, os.path.join(self.directory, file))
            patch.start()
            self.addCleanup(patch.stop)
        with open(document.README, "w", encoding="utf-8") as file:
            file.write(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
        self.load_all = mock.patch.object(results, "load_all", return_value=results.load_all(fake.DATA)).start()
        self.addCleanup(mock.patch.stopall)

    def test_published_documents_fit(self):
        changed = document.publish()
        self.assertIn(document.README, changed)
        self.assertEqual([], document.differences())
        self.assertEqual([], document.publish())
        with open(document.README, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith(f"before\n{document.BEGIN}\nIn one run"), text)
        self.assertTrue(text.endswith(f"\n{document.END}\nafter\n"), text)
        self.assertTrue(all(len(line) <= document.README_WIDTH for line in text.splitlines()))

    def test_what_was_edited_is_found(self):
        document.publish()
        plot = os.path.join(document.PLOTS, "rps-plaintext.svg")
        for path in (document.PERFORMANCE, plot, document.README):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("1", "2"))
            self.assertEqual([path], document.differences())
            document.publish()
        os.remove(plot)
        self.assertEqual([plot], document.differences())

    def test_plots_without_results_are_removed(self):
        document.publish()
        self.load_all.return_value = {}
        left_over = document.differences()
        self.assertIn(os.path.join(document.PLOTS, "rps-plaintext.svg"), left_over)
        # The README keeps its sentence.
        self.assertNotIn(document.README, left_over)
        document.publish()
        self.assertEqual([], os.listdir(document.PLOTS))
        self.assertEqual([], document.differences())

    def test_a_readme_without_marks_is_refused(self):
        with open(document.README, "w", encoding="utf-8") as file:
            file.write("no marks")
        with self.assertRaises(Failure):
            document.publish()
        self.assertFalse(os.path.exists(document.PERFORMANCE))


class Committed(unittest.TestCase):
    def test_documents_are_what_the_results_give(self):
        self.assertEqual([], document.differences(), "make bench-report")


if __name__ == "__main__":
    unittest.main()
