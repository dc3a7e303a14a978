"""What a run measures, in which order, and how long it is said to take."""

import contextlib
import io
import unittest

import hinny
import plan
import plans
import scenarios
from hinny import Hinny
from progress import Progress


def _titles(parts):
    return [part.title for part in parts]


def _comparisons(parts, name):
    return [part for part in parts if type(part) is plan.Compare and part.scenario.name == name]


class LongRun(unittest.TestCase):
    def setUp(self):
        self.options, self.parts = plans.of(["--full"])

    def test_every_rival_with_the_path_is_in_each_scenario(self):
        (part,) = _comparisons(self.parts, "plaintext-x16")
        self.assertEqual(part.kinds, [*plans.ALL_PEERS, *scenarios.ALL])
        (part,) = _comparisons(self.parts, "json")
        self.assertEqual(part.kinds, [*(name for name in plans.ALL_PEERS if name != "nginx"), *scenarios.ALL])
        (part,) = _comparisons(self.parts, "service")
        self.assertEqual(part.kinds[:2], ["hyper", "jetty"])
        self.assertEqual({kind.program for kind in part.kinds[2:]}, {hinny.SERVICE})

    def test_rounds_are_five_and_in_turn(self):
        compared = [part for part in self.parts if isinstance(part, plan.Compare)]
        self.assertEqual({part.rounds for part in compared}, {5})

    def test_numbers_of_connections_are_those_that_fit(self):
        def counts(most):
            return [part.connections for part in _comparisons(plans.of(["--full"], most)[1], "plaintext")]
        self.assertEqual(counts(plans.ENOUGH), [64, 16, 256, 1024, 10_000])
        self.assertEqual(counts(500), [64, 16, 256, 500])

    def test_latency_is_measured_at_each_fraction_and_of_the_service_at_one_rate(self):
        steady = [part for part in self.parts if isinstance(part, plan.Steady)]
        self.assertEqual([(part.scenario.name, part.fraction) for part in steady],
                         [("service", None), *(("plaintext", fraction) for fraction in plan.FRACTIONS)])

    def test_database_tests_are_on_hinny_and_jetty(self):
        parts = [part for part in self.parts if part.bench == plan.DATABASE]
        self.assertEqual([part.scenario.name for part in parts],
                         ["db", "queries", "fortunes", "updates", "cached-queries"])
        for part in parts:
            self.assertEqual([str(kind) for kind in part.kinds], ["jetty", "hinny worker (lane)", "hinny virtual (lane)"])

    def test_servers_of_a_part_follow_its_saturation(self):
        names = _titles(self.parts)
        self.assertLess(names.index("plaintext, 64 connections: saturation"),
                        names.index("plaintext, 64 connections: latency at 0.25 of saturation"))

    def test_it_is_estimated_at_less_than_forty_minutes(self):
        self.assertLess(plan.estimate_s(self.parts), 40 * 60)

    def test_seconds_and_rounds_can_be_less(self):
        _, parts = plans.of(["--full", "--seconds", "1", "--rounds", "1"])
        compared = [part for part in parts if isinstance(part, plan.Compare)]
        self.assertEqual({part.seconds for part in compared if part.connections < plan.MANY_CONNECTIONS}, {1})
        self.assertEqual({part.seconds for part in compared if part.connections >= plan.MANY_CONNECTIONS},
                         {plan.MANY_SECONDS})
        self.assertEqual({part.rounds for part in parts if isinstance(part, plan.Compare)}, {1})
        self.assertLess(plan.estimate_s(parts), plan.estimate_s(self.parts) / 2)


class QuickRun(unittest.TestCase):
    def test_it_is_estimated_at_less_than_five_minutes(self):
        _, parts = plans.of(["--quick"])
        self.assertLess(plan.estimate_s(parts), 5 * 60)

    def test_it_has_few_servers_unless_told_otherwise(self):
        _, parts = plans.of(["--quick"])
        self.assertEqual([part.scenario.name for part in parts], ["plaintext-x16", "plaintext", "json"])
        for part in parts:
            self.assertEqual(list(map(str, part.kinds)), ["hyper", "netty", "hinny inline (lane)", "hinny worker (lane)"])
        _, parts = plans.of(["--quick", "--scenario", "order", "--peer", "hyper", "--engine", "hyper"])
        self.assertEqual([list(map(str, part.kinds)) for part in parts], [["hyper", "hinny inline (hyper only)"]])


class OtherRuns(unittest.TestCase):
    def test_scenarios_without_a_database_are_usual(self):
        _, parts = plans.of([])
        self.assertEqual([part.scenario.name for part in parts], ["plaintext-x16", "plaintext", "json", "order", "service"])

    def test_only_the_first_number_of_connections_needs_a_warm_up(self):
        _, (first, second) = plans.of(["--scenario", "json", "--connections", "64", "--connections", "256"])
        self.assertGreater(first.estimate_s(), second.estimate_s())

    def test_hinny_alone_has_no_rivals(self):
        _, (part,) = plans.of(["--scenario", "json", "--hinny-only", "--mode", "virtual"])
        self.assertEqual(part.kinds, [scenarios.VIRTUAL])

    def test_noise_is_two_equal_servers(self):
        _, (part,) = plans.of(["--aa", "--scenario", "plaintext"])
        self.assertEqual(part.kinds, ["hyper", "hyper again"])

    def test_a_rate_for_all_and_fractions_are_parts_of_their_own(self):
        _, parts = plans.of(["--scenario", "service", "--rate", "2000", "--latency", "0.5"])
        self.assertEqual([(part.fraction, part.rate) for part in parts if isinstance(part, plan.Steady)],
                         [(0.5, None), (None, 2000)])

    def test_idle_connections_are_not_more_than_possible(self):
        _, (part,) = plans.of(["--idle", "10000"], 1000)
        self.assertEqual((part.connections, part.kinds), (1000, ["hyper", scenarios.LANE]))

    def test_handlers_are_compared_without_rivals(self):
        _, parts = plans.of(["--java-handler"])
        self.assertEqual([part.scenario.name for part in parts], plan.HANDLER_SCENARIOS)
        self.assertEqual({tuple(part.kinds) for part in parts}, {scenarios.HANDLERS})

    def test_a_kind_is_named_by_what_makes_it_another(self):
        names = {str(kind) for kind in (*scenarios.ALL, *scenarios.HANDLERS)}
        self.assertEqual(len(names), len({*scenarios.ALL, *scenarios.HANDLERS}))
        self.assertEqual(str(Hinny("worker", "auto", hinny.SERVICE)), str(scenarios.WORKER))


class Left(unittest.TestCase):
    def _progress(self, times):
        parts = [plan.Compare(scenarios.find("json"), 64, ["hyper"], 10, 1) for _ in range(2)]
        return Progress(parts, iter(times).__next__), parts

    def test_at_first_it_is_the_estimate(self):
        progress, parts = self._progress([0])
        self.assertEqual(progress.left_s(), sum(part.estimate_s() for part in parts))

    def test_later_it_goes_by_the_time_that_was_taken(self):
        progress, parts = self._progress([0, 100])
        with contextlib.redirect_stderr(io.StringIO()) as said:
            progress.begin(parts[0])
        self.assertIn("[part 1 of 2, about 1 min left] json, 64 connections: saturation", said.getvalue())
        self.assertEqual(progress.left_s(), 100)


if __name__ == "__main__":
    unittest.main()
