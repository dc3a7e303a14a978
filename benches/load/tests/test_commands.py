"""The command of a row gives that row again: parsed as run.py parses it, its plan has the server and its rivals."""

import shlex
import unittest

import commands
import plan
import plans
import steady
from hinny import Hinny


def _parts_of(command):
    program, *words = shlex.split(command)
    assert program == commands.RUN, command
    return plans.of(words)


class EveryRow(unittest.TestCase):
    def _require_same(self, command, part, kind, kind_of_part):
        options, parts = _parts_of(command)
        found = [one for one in parts if type(one) is kind_of_part]
        self.assertEqual(len(found), 1, command)
        self.assertEqual((found[0].scenario, found[0].connections, found[0].seconds),
                         (part.scenario, part.connections, part.seconds), command)
        self.assertIn(kind, found[0].kinds, command)
        if isinstance(kind, Hinny):
            rivals = [one for one in part.kinds if not isinstance(one, Hinny)]
            self.assertEqual([one for one in found[0].kinds if not isinstance(one, Hinny)], rivals, command)
            self.assertEqual([one for one in found[0].kinds if isinstance(one, Hinny)], [kind], command)
        return options, found[0]

    def _check(self, words):
        options, parts = plans.of(words)
        for part in parts:
            for kind in part.kinds:
                if type(part) is plan.Compare:
                    again, _ = self._require_same(commands.of(part, kind, options), part, kind, plan.Compare)
                    self.assertEqual(again.rounds, options.rounds)
                elif type(part) is plan.Syscalls:
                    self._require_same(commands.of(part, kind, options, "--syscalls"), part, kind, plan.Syscalls)
                elif type(part) is plan.Steady:
                    command = commands.of(part, kind, options, *steady.words(part, 1234))
                    _, found = self._require_same(command, part, kind, plan.Steady)
                    self.assertEqual(found.fraction, part.fraction)
                    self.assertEqual(found.rate, None if part.fraction else 1234)

    def test_of_the_long_run(self):
        self._check(["--full"])

    def test_with_a_server_of_the_readers_own(self):
        self._check(["--full", "--other", "donkey=java -jar 'the donkey.jar' {loops} {port}"])

    def test_of_rows_that_were_asked_for(self):
        self._check(["--scenario", "json", "--scenario", "db", "--hinny-only"])
        self._check(["--quick"])

    def test_of_handlers(self):
        options, parts = plans.of(["--full"])
        for part in (part for part in parts if type(part) is plan.Handlers):
            _, (again,) = _parts_of(commands.of_handlers(part, options))
            self.assertEqual((again.scenario, again.connections, again.seconds, again.rounds, again.kinds),
                             (part.scenario, part.connections, part.seconds, part.rounds, part.kinds))

    def test_of_idle_connections(self):
        _, parts = plans.of(["--full"])
        (part,) = [part for part in parts if type(part) is plan.Idle]
        for kind in part.kinds:
            _, (again,) = _parts_of(commands.of_idle(part, kind))
            self.assertIn(kind, again.kinds)
            self.assertEqual(again.connections, part.connections)

    def test_of_the_noise(self):
        options, (part,) = plans.of(["--aa", "--scenario", "json"])
        _, (again,) = _parts_of(commands.of(part, "hyper", options))
        self.assertEqual(again.kinds, part.kinds)


if __name__ == "__main__":
    unittest.main()
