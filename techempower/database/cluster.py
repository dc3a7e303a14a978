#!/usr/bin/env python3
"""A private PostgreSQL cluster with the tables of the database tests, for as long as it is needed.

    with Cluster() as cluster:
        cluster.jdbc_url    # for the application
        cluster.query("SELECT count(*) FROM world")    # => [["10000"]], as the superuser

    techempower/database/cluster.py    # prints a line of JSON and runs until its stdin closes, or SIGTERM

Invariants:
- It lives in a temporary directory, listens on a free port of 127.0.0.1, and leaves nothing behind.
- The machine's own clusters are not touched; nothing is installed (postgres-programs.sh).
- The server is a child process, ended by its PID. PostgreSQL refuses root, so for root it runs as another user.
"""

import csv
import io
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))

DATABASE = "hello_world"
USER = "benchmarkdbuser"
PASSWORD = "benchmarkdbpass"

STARTS = 5
READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
QUERY_TIMEOUT_S = 60

# Nothing here outlives the run, so nothing need outlive a power cut: that takes the disk out of the figures. As in the
# suite, pg_stat_statements counts, which the verifier reads. The JIT is for longer queries than these.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "30min",
    "shared_buffers": "256MB",
    "max_connections": "300",
    "jit": "off",
    "shared_preload_libraries": "pg_stat_statements",
}


class ClusterFailure(Exception):
    """Why there is no cluster, or why it did not answer."""


def _user_for_root():
    """Who runs PostgreSQL in place of root: its own user where there is one."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ClusterFailure("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _programs():
    """Where PostgreSQL's programs are, and the library path that they need."""
    found = subprocess.run([os.path.join(HERE, "postgres-programs.sh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, check=False)
    if found.returncode != 0:
        raise ClusterFailure(f"no PostgreSQL: {found.stderr.strip().splitlines()[-1]}")
    bin_directory, libraries = found.stdout.split("\n")[:2]
    return bin_directory, libraries


class Cluster:
    """A running cluster; a context manager. `programs` is (directory, library path), found if it is not given."""

    def __init__(self, programs=None):
        self._bin, libraries = programs or _programs()
        self._environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        if libraries:
            self._environment["LD_LIBRARY_PATH"] = libraries
        self._owner = _user_for_root() if os.getuid() == 0 else None
        self._server = None
        self._log = []
        self.port = None
        self._room = tempfile.mkdtemp(prefix="hinny-postgres-")
        if self._owner:
            os.chown(self._room, self._owner.pw_uid, self._owner.pw_gid)
        self._data = os.path.join(self._room, "data")

    def __enter__(self):
        try:
            self._make_programs_readable()
            self.version = self._run("postgres", "--version").split()[2]
            self._run("initdb", "--pgdata", self._data, "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                      "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync")
            self._start()
            self._load()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._server and self._server.poll() is None:
            # The fast shutdown: clients are cut off, and files are closed in order.
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
        shutil.rmtree(self._room, ignore_errors=True)

    @property
    def jdbc_url(self):
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{DATABASE}?user={USER}&password={PASSWORD}"

    @property
    def pid(self):
        """The server's process; those of its connections are its children."""
        return self._server.pid

    def psql(self, *arguments, database=DATABASE):
        """The command line of a psql that is the superuser of the database."""
        return [os.path.join(self._bin, "psql"), "--no-psqlrc", "--quiet", "--host", self._room, "--port", str(self.port),
                "--username=postgres", "--dbname", database, "--set=ON_ERROR_STOP=1", *arguments]

    def query(self, sql):
        """The rows that SQL gives, lists of strings."""
        output = self._call(self.psql("--csv", "--tuples-only", "--command", sql))
        return list(csv.reader(io.StringIO(output)))

    def _as_owner(self):
        """What a child process needs to be the owner's; root is in no group of its own then either."""
        owner = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []} if self._owner else {}
        return {"cwd": self._room, "env": self._environment, **owner}

    def _call(self, command, text=None):
        try:
            done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  encoding="utf-8", timeout=QUERY_TIMEOUT_S, check=False, **self._as_owner())
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ClusterFailure(f"{os.path.basename(command[0])}: {error}") from None
        if done.returncode != 0:
            raise ClusterFailure(f"{os.path.basename(command[0])} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _run(self, program, *arguments):
        return self._call([os.path.join(self._bin, program), *arguments])

    def _make_programs_readable(self):
        """Programs below a directory that the owner may not enter, as root's home, are copied. They find what belongs to
        them by their own place: usr/lib/postgresql/15/bin beside usr/share/postgresql/15."""
        if not self._owner:
            return
        try:
            self._run("postgres", "--version")
        except ClusterFailure:
            tree = self._bin.removesuffix("/usr/lib/postgresql/15/bin")
            if tree == self._bin:
                raise
            copy = os.path.join(self._room, "programs")
            shutil.copytree(tree, copy, symlinks=True)
            self._bin = self._bin.replace(tree, copy)
            if "LD_LIBRARY_PATH" in self._environment:
                self._environment["LD_LIBRARY_PATH"] = self._environment["LD_LIBRARY_PATH"].replace(tree, copy)

    def _start(self):
        """Another process may take the free port first; then there is another."""
        for _ in range(STARTS):
            self.port = _free_port()
            settings = {**SETTINGS, "listen_addresses": "127.0.0.1", "port": self.port,
                        "unix_socket_directories": self._room}
            flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
            self._log.clear()
            # A session of its own: Ctrl-C reaches the one who uses the cluster, who then ends it.
            self._server = subprocess.Popen(
                [os.path.join(self._bin, "postgres"), "-D", self._data, *flags], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
                **self._as_owner())
            ready = threading.Event()
            threading.Thread(target=self._read_log, args=(self._server, ready), daemon=True).start()
            if ready.wait(READY_TIMEOUT_S) and self._server.poll() is None:
                return
            if not any("Address already in use" in line for line in self._log):
                break
        raise ClusterFailure("PostgreSQL did not start:\n" + "".join(self._log[-20:]))

    def _read_log(self, server, ready):
        """Reads the server's messages to their end, so that it never waits for a reader."""
        with server.stderr:
            for line in server.stderr:
                self._log.append(line)
                del self._log[:-200]
                if "ready to accept connections" in line:
                    ready.set()
        server.wait()
        ready.set()

    def _load(self):
        self._call(self.psql("--command", f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'",
                             "--command", f"CREATE DATABASE {DATABASE} OWNER {USER}", database="postgres"))
        with open(os.path.join(HERE, "schema.sql"), encoding="utf-8") as schema:
            self._call(self.psql("--single-transaction", "--file=-"), text=schema.read())
        self.query("VACUUM ANALYZE")


def main():
    # What ends this ends the cluster: SystemExit leaves the block below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with Cluster() as cluster:
            print(json.dumps({"jdbc_url": cluster.jdbc_url, "port": cluster.port, "version": cluster.version,
                              "psql": cluster.psql()}), flush=True)
            while sys.stdin.buffer.read(4096):
                pass
    except KeyboardInterrupt:
        pass
    except ClusterFailure as failure:
        sys.exit(f"cluster.py: {failure}")


if __name__ == "__main__":
    main()
