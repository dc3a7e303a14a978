"""The table of rivals, and the servers that a reader adds."""

import argparse
import contextlib
import io
import os
import shutil
import sys
import unittest
from unittest import mock

import arguments
import http_check
import lineup
import nginx_peer
import peers
import toolchain
from failure import Failure


def options(*words):
    with mock.patch.object(sys, "argv", ["run.py", *words]):
        return arguments.parse()


def refusal(*words):
    """What the command line is refused with."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), unittest.TestCase().assertRaises(SystemExit):
        options(*words)
    return said.getvalue()


class Tools(toolchain.Toolchain):
    """A machine with this JDK; nothing is built."""

    def __init__(self, java_version):
        super().__init__(argparse.Namespace(hyper=None, class_path="class-path", java="java"))
        self._made.update({"java": "/jdk/bin/java", "java version": java_version})


class Table(unittest.TestCase):
    def test_names_are_those_of_their_projects(self):
        for name, peer in peers.PEERS.items():
            with self.subTest(name):
                self.assertEqual(name, peer.name)
                self.assertTrue(peer.title and peer.language)
                self.assertNotIn(name, ("all", "hinny"))
                if peer.language != "C":
                    self.assertTrue(os.path.isdir(os.path.join(toolchain.HERE, f"{name}-peer")))

    def test_every_rival_has_plaintext_and_paths_that_are_checked(self):
        checked = {target.partition("?")[0] for target in http_check.EXPECTED}
        for name, peer in peers.PEERS.items():
            with self.subTest(name):
                self.assertTrue(peer.serves("/plaintext"))
                self.assertLessEqual(set(peer.paths), checked)

    def test_every_checked_path_has_a_rival(self):
        for target in http_check.EXPECTED:
            self.assertTrue(any(peer.serves(target) for peer in peers.PEERS.values()), target)

    def test_a_target_is_served_by_its_path_alone(self):
        hyper = peers.PEERS["hyper"]
        self.assertTrue(hyper.serves("/service?limit=1"))
        self.assertFalse(hyper.serves("/services"))
        self.assertFalse(peers.PEERS["nginx"].serves("/json"))

    def test_tools_have_a_way_to_get_them(self):
        for peer in peers.PEERS.values():
            self.assertLessEqual(set(peer.tools), set(toolchain.HOW_TO_GET), peer.name)

    def test_jvm_peers_are_the_servers_in_java(self):
        self.assertEqual(peers.JVM_PEERS, ["netty", "vertx", "undertow", "helidon"])


class Lack(unittest.TestCase):
    def test_missing_program_is_said_with_how_to_get_it(self):
        with mock.patch.object(shutil, "which", return_value=None):
            for name, said in (("go", "apt-get install golang-go"), ("netty", "apt-get install maven"),
                               ("hyper", "rustup")):
                self.assertIn(said, peers.PEERS[name].lack(Tools(25)))
        with mock.patch.object(nginx_peer, "find", return_value=None):
            self.assertIn("apt-get install nginx-light", peers.PEERS["nginx"].lack(Tools(25)))

    def test_old_jdk_is_a_lack_of_helidon_alone(self):
        with mock.patch.object(toolchain, "lacks", return_value=None):
            self.assertIn("Helidon needs a JDK >= 21, /jdk/bin/java is 17", peers.PEERS["helidon"].lack(Tools(17)))
            self.assertIsNone(peers.PEERS["helidon"].lack(Tools(21)))
            self.assertIsNone(peers.PEERS["undertow"].lack(Tools(17)))

    def test_packages_that_cannot_be_had_are_a_lack_of_jetty(self):
        with mock.patch.object(toolchain, "debian_class_path", side_effect=Failure("no apt-get here", 2)):
            self.assertEqual(peers.PEERS["jetty"].lack(Tools(17)), "Ring on Jetty: no apt-get here")

    def _rivals(self, *words):
        """Those of a run on a machine without Go."""
        with mock.patch.object(toolchain, "lacks", side_effect=lambda tool: "no go" if tool == "go" else None), \
                mock.patch.object(toolchain, "debian_class_path", return_value="packages"), \
                mock.patch.object(nginx_peer, "find", return_value="nginx"), \
                mock.patch.object(lineup, "Toolchain", lambda _: Tools(25)), \
                contextlib.redirect_stderr(io.StringIO()):
            run = lineup.Lineup(options(*words), [])
            return run.rivals(), run.facts([])

    def test_all_leaves_out_what_cannot_be_had_and_says_so(self):
        names, facts = self._rivals("--peer", "all")
        self.assertEqual(names, [name for name in peers.PEERS if name != "go"])
        self.assertEqual(facts, {"go": "left out: no go"})

    def test_a_rival_asked_for_by_name_must_be_had(self):
        with self.assertRaises(Failure) as caught:
            self._rivals("--peer", "all", "--peer", "go")
        self.assertEqual((str(caught.exception), caught.exception.code), ("no go", 2))


class Other(unittest.TestCase):
    def test_command_is_split_as_a_shell_does(self):
        other = peers.parse_other("mine=java -cp 'a b' Main --loops={loops} {port}")
        self.assertEqual(other.name, "mine")
        self.assertEqual(peers.filled(other.command(None), 2, 8080),
                         ["java", "-cp", "a b", "Main", "--loops=2", "8080"])

    def test_other_braces_and_equals_signs_stay(self):
        command = peers.parse_other("mine=run --json={\"a\":{}} --x=y").command(None)
        self.assertEqual(peers.filled(command, 2, 1), ["run", "--json={a:{}}", "--x=y"])

    def test_wrong_ones_are_refused(self):
        for text, said in (("mine", "is not NAME=COMMAND"), ("=run", "is not NAME=COMMAND"),
                           ("Mine=run", "lower-case letters"), ("my server=run", "lower-case letters"),
                           ("netty=run", "another server"), ("all=run", "another server"),
                           ("hinny=run", "another server"), ("mine=", "no command"), ("mine=run 'x", "quotation")):
            with self.subTest(text), self.assertRaises(Failure) as caught:
                peers.parse_other(text)
            self.assertIn(said, str(caught.exception))

    def test_command_line_takes_several_and_refuses_two_of_a_name(self):
        self.assertEqual([other.name for other in options("--other", "a=x", "--other", "b=y {port}").other], ["a", "b"])
        self.assertIn("same name", refusal("--other", "a=x", "--other", "a=y"))
        self.assertIn("another server", refusal("--other", "go=x"))
        self.assertIn("--hinny-only", refusal("--hinny-only", "--other", "a=x"))

    def test_port_is_chosen_only_for_a_command_that_takes_one(self):
        started = mock.Mock()
        for command, wanted in ((["run", "{loops}"], None), (["run", "{port}"], 4711)):
            with mock.patch.object(peers, "free_port", return_value=4711):
                peers.Other("mine", command).start(started, "mine", command, 2)
            self.assertEqual(started.start.call_args.args[2], wanted)

    def test_it_is_a_rival_of_the_run(self):
        run = lineup.Lineup(options("--peer", "hyper", "--other", "mine=run {port}"), [])
        with mock.patch.object(toolchain, "lacks", return_value=None):
            self.assertEqual(run.rivals(), ["hyper", "mine"])
        self.assertTrue(run.serves("mine", "/json"))
        self.assertFalse(run.serves("mine", http_check.SERVICE))
        self.assertEqual(run.facts(["mine"]), {"mine": "`run '{port}'`, by --other"})


if __name__ == "__main__":
    unittest.main()
