"""What `--routes` compares: for each row the request, the right answer, and who answers it at which path."""

import os

BARE, BARE_AGAIN = "hinny, bare handler", "hinny, bare handler again"
ROUTED, PARAM = "hinny, behind a route", "hinny, behind a route with a parameter"
HINNY, HINNY_FILES = "hinny", "hinny, files"
NGINX, NGINX_CACHE = "nginx", "nginx, open_file_cache"
HYPER = "hyper"

HELLO = b"Hello, World!"
FILES = {"1k.txt": 1 << 10, "1m.bin": 1 << 20}


class Target:
    """One request and its right answer, as generator and check take it."""

    varies_by = 0

    def __init__(self, path, depth, status, body, content_type, is_file):
        self.path = path
        self.depth = depth
        self.status = status
        self.body = body
        self.content_type = content_type
        self.is_file = is_file


class Row:
    """A request with the right answer; `paths` has who answers it, and at which path."""

    def __init__(self, name, size, paths, depth=1, status=200, body=HELLO, content_type="text/plain", is_file=False,
                 connections=64):
        self.name = name
        self.size = size
        self.paths = paths
        self.depth = depth
        self.status = status
        self.body = body
        self.content_type = content_type
        self.is_file = is_file
        self.connections = connections

    def target(self, contestant):
        return Target(self.paths[contestant], self.depth, self.status, self.body, self.content_type, self.is_file)

    def bench_name(self):
        """Protocol, concurrency, shape, size, as in all benches of this project."""
        shape = "keepalive" if self.depth == 1 else f"pipelined{self.depth}"
        name = self.name.removesuffix(f"-x{self.depth}").replace("-", "_")
        return f"h1_{shape}_c{self.connections}_{name}_{self.size}b"


def content(name):
    """The content of a file, always the same."""
    return bytes(32 + number % 95 for number in range(FILES[name]))


def write_files(directory):
    """Makes the files that are served."""
    os.makedirs(directory, mode=0o755)
    for name in FILES:
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content(name))


def _both(name, *arguments, **more):
    """A row at depth 1, and one with 16 requests in a write."""
    return [Row(name, *arguments, **more), Row(f"{name}-x16", *arguments, depth=16, **more)]


def _files(name):
    return {HINNY_FILES: f"/files/{name}", NGINX: f"/files/{name}", NGINX_CACHE: f"/files/{name}"}


ROWS = [
    *_both("not-found", 9, {HINNY: "/no-such-path", NGINX: "/no-such-path"}, status=404, body=b"Not Found"),
    *_both("constant", 13, {HINNY: "/constant", NGINX: "/constant", HYPER: "/plaintext"}),
    *_both("file-1k", FILES["1k.txt"], _files("1k.txt"), body=content("1k.txt"), is_file=True),
    Row("file-1m", FILES["1m.bin"], _files("1m.bin"), body=content("1m.bin"), is_file=True,
        content_type="application/octet-stream", connections=4),
    *_both("handler", 13, {BARE: "/plaintext", ROUTED: "/plaintext", PARAM: "/plaintext/4711",
                           BARE_AGAIN: "/plaintext"}),
]

# Which process answers for a contestant, and what routes_app.clj calls it.
PROCESSES = {ROUTED: HINNY, PARAM: HINNY}
HINNY_KINDS = {HINNY: "routes", HINNY_FILES: "files", BARE: "bare", BARE_AGAIN: "bare"}


def process_of(contestant):
    return PROCESSES.get(contestant, contestant)
