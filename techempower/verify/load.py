"""Many requests at once, which shows what one at a time does not: locks, pools that are too small, mixed-up answers."""

import threading

from http_client import Closed, Malformed, request_bytes

CONNECTIONS = 16
REQUESTS_EACH = 8


def run_at_once(exchanges, path, accept, problem_of):
    """Sends requests on many connections at once. `problem_of` says what is wrong with a response; it is called by
    one thread at a time. Returns how many responses were right, and the first problem or None."""
    request = request_bytes(path, accept)
    lock = threading.Lock()
    right, problems = [], []

    def client():
        try:
            with exchanges.connect() as connection:
                for _ in range(REQUESTS_EACH):
                    connection.send(request)
                    response = connection.read()
                    with lock:
                        problem = problem_of(response)
                        (problems if problem else right).append(problem)
        except (Malformed, Closed, OSError) as error:
            with lock:
                problems.append(str(error))

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(right), f"{len(problems)} wrong, as: {problems[0]}" if problems else None
