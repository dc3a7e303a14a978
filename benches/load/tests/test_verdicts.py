"""Claims, the goals of the design, rates, and JMH's result: what is said of figures that are made up."""

import unittest

import budgets
import claims
import design_goals
import goal_tables
import jvm_time
import plan
import scenarios
import steady
from failure import Failure


def _round(rps, cpu, valid=True):
    return {"rps": rps, "cpu_us_per_request": cpu, "valid": valid}


def _spread(value):
    return {"median": value, "min": value, "max": value}


def _row(scenario, server, ratios, connections=64):
    return {"scenario": scenario, "server": str(server), "connections": connections, "valid": True, "command": "a command",
            "ratios": {rival: {"rps": _spread(rps), "cpu_us_per_request": _spread(cpu)}
                       for rival, (rps, cpu) in ratios.items()}}


class OfRows(unittest.TestCase):
    def _claim(self, rows, theirs, scenario="plaintext"):
        return next(one for one in claims.of_rows(rows, 64) if (one["theirs"], one["scenario"]) == (theirs, scenario))

    def test_without_the_previous_library_it_is_said_why(self):
        found = self._claim([_row("plaintext", scenarios.LANE, {"hyper": (1, 1)})], claims.PREVIOUS)
        self.assertEqual(found["verdict"], claims.NOT_MEASURED)
        self.assertIn("--other donkey=COMMAND", found["why"])

    def test_with_it_the_ratio_decides(self):
        for rps, verdict in ((4.6, claims.MET), (4.4, claims.MISSED)):
            found = self._claim([_row("json", scenarios.LANE, {claims.PREVIOUS: (rps, 0.3)})], claims.PREVIOUS, "json")
            self.assertEqual((found["verdict"], found["rps"]["median"], found["command"]), (verdict, rps, "a command"))

    def test_jetty_meets_the_mode_that_may_block_with_the_usual_connections(self):
        rows = [_row("plaintext", scenarios.WORKER, {"jetty": (9, 0.1)}, connections=256),
                _row("plaintext", scenarios.LANE, {"jetty": (9, 0.1)}),
                _row("plaintext", scenarios.WORKER, {"jetty": (3, 0.3)})]
        self.assertEqual(self._claim(rows, "jetty")["rps"]["median"], 3)
        self.assertEqual(self._claim(rows[:2], "jetty")["verdict"], claims.NOT_MEASURED)


class OfHandlers(unittest.TestCase):
    def _claim(self, cpu, valid=True):
        part = plan.Handlers(scenarios.find("json"), 64, list(scenarios.HANDLERS), 2, 1)
        rounds = {scenarios.LANE: [_round(100, cpu)], scenarios.LANE_JAVA: [_round(100, 10, valid)],
                  scenarios.LANE_AGAIN: [_round(100, 10.3)]}
        return claims.of_handlers(part, rounds, "a command")

    def test_clojure_may_cost_five_percent(self):
        self.assertEqual(self._claim(10.5)["verdict"], claims.MET)
        self.assertEqual(self._claim(10.6)["verdict"], claims.MISSED)

    def test_noise_is_beside_it(self):
        self.assertAlmostEqual(self._claim(10)["noise"]["cpu_us_per_request"]["median"], 1.03)

    def test_the_table_shows_both(self):
        said = "\n".join(goal_tables.claims([self._claim(10)]))
        self.assertIn("CPU/request 1.00 (1.00–1.00), and of two that are equal: rps 1.00 (1.00–1.00), CPU/request 1.03", said)

    def test_an_invalid_round_measures_nothing(self):
        self.assertEqual(self._claim(10, valid=False)["verdict"], claims.NOT_MEASURED)


class OfSteady(unittest.TestCase):
    def _claims(self, p99_us, cpu, valid=True):
        scenario = scenarios.find("service")
        ours = scenario.kinds[0]
        part = plan.Steady(scenario, 64, ["jetty", ours], 3, 1)

        def line(server, p99, cost):
            return {"server": str(server), "valid": valid, "rate": 1000, "command": "a command",
                    "rounds": [{"latency_us": {"p99": p99}, "cpu_us_per_request": cost}]}
        return claims.of_steady(part, [line("jetty", 1000, 100), line(ours, p99_us, cpu)])

    def test_cpu_and_latency_must_both_be_no_more(self):
        for p99, cpu, verdict in ((900, 50, claims.MET), (1100, 50, claims.MISSED), (900, 101, claims.MISSED)):
            (found,) = self._claims(p99, cpu)
            self.assertEqual(found["verdict"], verdict)
            self.assertAlmostEqual(found["p99"]["median"], p99 / 1000)
            self.assertIn(f"p99 {p99 / 1000:.2f}", "\n".join(goal_tables.claims([found])))

    def test_missing_answers_measure_nothing(self):
        (found,) = self._claims(900, 50, valid=False)
        self.assertEqual(found["verdict"], claims.NOT_MEASURED)


class Goals(unittest.TestCase):
    def test_each_budget_has_a_line_for_each_figure(self):
        found = design_goals.of({"rows": []})
        expected = {(budget.scenario, str(budget.kind), figure) for budget in budgets.BUDGETS for figure in budget.bounds}
        self.assertEqual({(goal["path"], goal["server"], goal["figure"]) for goal in found if "server" in goal}, expected)
        self.assertEqual({goal["verdict"] for goal in found if "server" in goal}, {design_goals.NOT_MEASURED})

    def test_ratios_to_hyper_decide_at_the_usual_connections(self):
        ratios = {"hyper": (1.2, 0.86)}
        for connections, verdicts in ((64, {"rps": "aim met", "cpu_us_per_request": "missed"}),
                                      (256, dict.fromkeys(("rps", "cpu_us_per_request"), design_goals.NOT_MEASURED))):
            goals = design_goals.of({"rows": [_row("plaintext", scenarios.LANE, ratios, connections)]})
            self.assertEqual({goal["figure"]: goal["verdict"] for goal in goals
                              if (goal["path"], goal.get("server")) == ("plaintext", str(scenarios.LANE))}, verdicts)

    def test_idle_connections_and_the_jvm_have_values(self):
        result = {"idle": [{"server": "hyper", "rss_bytes_per_connection": 1, "command": "no"},
                           {"server": str(scenarios.LANE), "rss_bytes_per_connection": 12 * 1024, "command": "a command"}],
                  "jvm_time": {"ns": _spread(301.0), "garbage_bytes": _spread(199.0), "jdk": "17"}}
        found = {goal["figure"]: goal for goal in design_goals.of(result) if "value" in goal}
        self.assertEqual({figure: goal["verdict"] for figure, goal in found.items()},
                         {"native memory": "must met", "time in the JVM": "missed", "garbage in the JVM": "aim met"})
        self.assertEqual(found["native memory"]["value"]["median"], 12)
        self.assertEqual(found["native memory"]["must"], "≤ 16 KiB")


class Rates(unittest.TestCase):
    def _rates(self, **more):
        scenario = scenarios.find("json")
        rows = [{"scenario": "json", "connections": 64, "server": str(kind), "valid": valid, "rps": _spread(rps)}
                for kind, rps, valid in (("hyper", 1000, True), ("netty", 800, False), (scenarios.LANE, 601, True))]
        return steady.rates(plan.Steady(scenario, 64, ["hyper", "netty", scenarios.LANE], 1, 1, **more), rows)

    def test_a_fraction_is_of_each_servers_own_saturation(self):
        self.assertEqual(self._rates(fraction=0.25), {"hyper": 250, scenarios.LANE: 150})

    def test_one_rate_for_all_is_half_of_the_slowest(self):
        self.assertEqual(self._rates(), {"hyper": 300, scenarios.LANE: 300})

    def test_a_rate_that_is_told_is_for_all(self):
        self.assertEqual(self._rates(rate=77), {"hyper": 77, "netty": 77, scenarios.LANE: 77})


class Jmh(unittest.TestCase):
    RESULT = {"jdkVersion": "17", "primaryMetric": {"rawData": [[210.0, 190.0], [200.0]]},
              "secondaryMetrics": {"·gc.alloc.rate": {"rawData": [[9.0]]},
                                   "·gc.alloc.rate.norm": {"rawData": [[152.0], [160.0, 156.0]]}}}

    def test_spread_is_over_all_forks(self):
        found = jvm_time.parse([self.RESULT])
        self.assertEqual(found["ns"], {"median": 200.0, "min": 190.0, "max": 210.0})
        self.assertEqual(found["garbage_bytes"]["median"], 156.0)

    def test_more_than_one_benchmark_is_refused(self):
        with self.assertRaises(Failure):
            jvm_time.parse([self.RESULT, self.RESULT])


if __name__ == "__main__":
    unittest.main()
