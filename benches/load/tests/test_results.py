"""Files of raw results: what is written is read again, and what the document cannot use is refused."""

import json
import math
import os
import tempfile
import unittest
from types import SimpleNamespace

import fake
import report
import results
import routes_bench
import steady
import syscalls
from failure import Failure


class RawResults(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def _bench(self, **changed):
        row = {**fake.row("plaintext", "hyper", 1000), **changed}
        return {"machine": fake.MACHINE, "rows": [row, fake.row("json", "hyper", 1000)], "text": ["not kept"]}

    def _refused(self, name, result):
        with self.assertRaises(Failure) as caught:
            results.save(name, result, self.directory, os.path.join(self.directory, "refused"))
        # It is not lost.
        self.assertEqual(["refused"], os.listdir(self.directory))
        self.assertIn(f"{name}.json", os.listdir(os.path.join(self.directory, "refused")))
        return str(caught.exception)

    def _saved_text(self, name, result):
        results.save(name, result, self.directory)
        with open(results.path_of(name, self.directory), encoding="utf-8") as file:
            return file.read()

    def test_saved_is_loaded(self):
        self._saved_text("bench", self._bench())
        loaded = results.load("bench", self.directory)
        self.assertEqual({"run", "machine", "rows"}, loaded.keys())
        self.assertEqual(self._bench()["rows"], loaded["rows"])
        self.assertEqual(["bench"], list(results.load_all(self.directory)))

    def test_each_row_has_a_line(self):
        lines = self._saved_text("bench", self._bench()).splitlines()
        rows = [json.loads(line.strip().rstrip(",")) for line in lines if '"scenario"' in line]
        self.assertEqual(["plaintext", "json"], [row["scenario"] for row in rows])

    def test_saved_again_the_same_bytes(self):
        for name in results.NAMES:
            with open(results.path_of(name, fake.DATA), encoding="utf-8") as file:
                committed = file.read()
            self.assertEqual(committed, self._saved_text(name, json.loads(committed)), name)

    def test_order_of_fields_is_fixed(self):
        backwards = {**self._bench(), "rows": [dict(reversed(row.items())) for row in self._bench()["rows"]]}
        self.assertEqual(self._saved_text("bench", self._bench()), self._saved_text("bench", backwards))

    def test_no_path_of_the_machine_is_kept(self):
        result = {**self._bench(), "arguments": ["--java", "/x/y/bin/java", "--hyper=/x/y/hyper", "--rounds", "5"]}
        self._saved_text("bench", result)
        self.assertEqual(["--java", "java", "--hyper=hyper", "--rounds", "5"],
                         results.load("bench", self.directory)["arguments"])

    def test_what_is_wrong_is_named(self):
        spread = {"median": 1, "min": 1}
        cases = [
            ({"rps": spread}, "rows[0] (h1_keepalive_c64_plaintext_13b, hyper).rps.max is missing"),
            ({"valid": "yes"}, "rows[0] (h1_keepalive_c64_plaintext_13b, hyper).valid is not true or false"),
            ({"error_count": True}, "error_count is not a number"),
            ({"ratios": {"netty": {"rps": spread}}}, "ratios.netty.rps.max is missing"),
            ({"rounds": {}}, "rounds is not a list"),
            ({"warm_up": []}, "warm_up is not an object"),
            ({"server": None}, "server is not text"),
            ({"rps": {"median": math.nan, "min": 1, "max": 1}}, "not JSON compliant"),
        ]
        for changed, said in cases:
            with self.subTest(said):
                self.assertIn(said, self._refused("bench", self._bench(**changed)))

    def test_a_row_twice_is_refused(self):
        result = self._bench()
        result["rows"] += result["rows"][:1]
        self.assertIn("rows[2] (h1_keepalive_c64_plaintext_13b, hyper) is there twice", self._refused("bench", result))

    def test_rows_of_the_benches_fit(self):
        """What is measured has what the document needs."""
        scenario = SimpleNamespace(name="plaintext", bench_name=lambda connections: f"h1_keepalive_c{connections}_x")
        cores = {"server": 1.0, "generator": 1.0, "others": 0.0, "stolen": 0.0}
        latency = {"p50": 100, "p99": 200, "p99_9": 300, "max": 400}
        saturated = {"valid": True, "requests": 10, "rps": 10.0, "cpu_us_per_request": 1.0, "cores_used": cores,
                     "error_count": 0, "latency_us": latency, "rss_mib": 1.0}
        steady_round = {"missing": 0, "requests": 10, "latency_us": latency, "send_delay_us": latency,
                        "cores_used": cores, "cpu_us_per_request": 1.0, "handler": {200: 1}, "swaps": 1, "swap_ms": 1.0}
        rounds = {name: [saturated] * 5 for name in ("hyper", "netty")}
        row = report.row(scenario, 64, "netty", rounds, {"warm_up": {"stable": True}, "discarded_turns": 0})
        at_a_rate = {**steady.row("h1_x", "netty", 10, [steady_round]), "scenario": "plaintext", "connections": 64}
        counted = syscalls.row("h1_x", "netty", {"total": 20, "read": 10}, 10)
        results.check("bench", {"machine": report.machine({}), "rows": [row], "latency": [at_a_rate], "syscalls": [counted]})
        in_a_state = routes_bench.steady_line("idle", 10, [steady_round])
        started = {"first_ms": 1.0, "later_ms": report.spread([1.0]), "small_ms": report.spread([1.0])}
        results.check("routes", {"machine": report.machine({}), "rows": [row], "ready": [in_a_state],
                                 "table": {"starts": started, "swaps": [in_a_state]}})

    def test_head_is_required(self):
        self.assertIn("machine is missing", self._refused("bench", {"rows": []}))
        self.assertIn("rows is missing", self._refused("bench", {"machine": fake.MACHINE}))
        self.assertIn("there is no run of this name", self._refused("other", self._bench()))

    def test_files_that_do_not_fit_are_refused(self):
        for text, said in [("{", "Expecting"), ("[]", "it is not an object"), ('{"run": "verify"}', "machine is missing"),
                           (json.dumps({"run": "verify", "machine": fake.MACHINE, "rows": []}), "of the run verify")]:
            path = results.path_of("bench", self.directory)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            with self.subTest(text), self.assertRaises(Failure) as caught:
                results.load("bench", self.directory)
            self.assertIn(path, str(caught.exception))
            self.assertIn(said, str(caught.exception))

    def test_no_file_no_result(self):
        self.assertIsNone(results.load("bench", self.directory))
        self.assertEqual({}, results.load_all(os.path.join(self.directory, "none")))

    def test_cores_of_the_header(self):
        self.assertEqual(2, results.cores(fake.MACHINE))
        with self.assertRaises(Failure):
            results.cores({"cpu": "unknown"})


if __name__ == "__main__":
    unittest.main()
