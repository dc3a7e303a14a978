"""nginx as a rival: the same answers from its configuration, on a free port, all its files in a temporary directory.

Its settings are those that its manual recommends and its TechEmpower entry has: a worker a core with a listening socket
each, no access log, sendfile with tcp_nopush, connections that are kept. The file cache of the second variant keeps
descriptors, sizes and times open, with the values of the manual's example.
"""

import os
import re
import shutil
import subprocess

from failure import Failure
from server_process import free_port

HOW_TO_GET = "apt-get install nginx-light"
DEBIAN_PATH = "/usr/sbin/nginx"

CONFIG = """\
daemon off;
worker_processes {workers};
pid {directory}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections 16384;
}}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    types {{
        text/plain txt;
        application/octet-stream bin;
    }}
    default_type text/plain;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {file_cache}
    server {{
        listen 127.0.0.1:{port} default_server reuseport backlog=4096;
        location = {constant} {{
            return 200 "Hello, World!";
        }}
        {more}
        location / {{
            return 404 "Not Found";
        }}
    }}
}}
"""

FILES = """location /files/ {{
            alias {files}/;
        }}"""

FILE_CACHE = """open_file_cache max=1000 inactive=20s;
    open_file_cache_valid 30s;
    open_file_cache_min_uses 2;
    open_file_cache_errors on;"""


def find():
    """The program, or None."""
    return shutil.which("nginx") or (DEBIAN_PATH if os.access(DEBIAN_PATH, os.X_OK) else None)


def version(program):
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    match = re.search(r"nginx/(\S+)", said.stderr + said.stdout)
    return match.group(1) if match else "unknown"


def start(servers, name, program, directory, workers, constant, files=None, file_cache=False):
    """Starts nginx with `directory` as its own; it is ended with `servers`. The path `constant` has 13 bytes that stand in
    the configuration; below /files/ are those of the directory `files`, if one is given."""
    # Workers run as another user when we are root.
    os.makedirs(directory, mode=0o755)
    port = free_port()
    path = os.path.join(directory, "nginx.conf")
    with open(path, "w", encoding="ascii") as config:
        config.write(CONFIG.format(directory=directory, workers=workers, port=port, constant=constant,
                                   more=FILES.format(files=files) if files else "",
                                   file_cache=FILE_CACHE if file_cache else ""))
    command = [program, "-p", directory, "-c", path]
    test = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if test.returncode != 0:
        raise Failure(f"nginx refuses its configuration:\n{test.stderr}")
    return servers.start(name, command, port)
