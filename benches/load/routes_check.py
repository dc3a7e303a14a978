"""Checks the answers of a row over a raw socket before anything is measured."""

import time

from failure import Failure
from http_check import Answers, check_date, connect, request_bytes

PIPELINED = 16


def _check(target, answer, sent_at):
    status, headers, body, length = answer
    if status != target.status:
        raise Failure(f"status {status}")
    if body != target.body:
        raise Failure(f"a body of {len(body)} bytes that begins with {body[:40]!r}")
    if headers.get("content-type", "").partition(";")[0].strip() != target.content_type:
        raise Failure(f"content-type {headers.get('content-type')!r}")
    wanted = ["server", *(["etag", "last-modified"] if target.is_file else [])]
    missing = [name for name in wanted if not headers.get(name)]
    if missing:
        raise Failure(f"no {' and no '.join(missing)}")
    check_date(target.path, headers.get("date"), sent_at)
    return length


def check(server, target):
    """The bytes of a whole response; a Failure when one of some answers, pipelined ones too, is wrong."""
    try:
        with connect(server.port) as connection:
            answers = Answers(connection)
            lengths = set()
            for count in (1, 1, PIPELINED if target.depth > 1 else 1):
                sent_at = time.time()
                connection.sendall(request_bytes(target.path) * count)
                lengths |= {_check(target, answers.next(), sent_at) for _ in range(count)}
            answers.require_end()
    except Failure as failure:
        raise Failure(f"{server.name} answers {target.path} wrongly: {failure}") from None
    except OSError as error:
        raise Failure(f"{server.name} does not answer: {error}; its last output:\n{server.output()}") from None
    if len(lengths) != 1:
        raise Failure(f"{server.name} answers {target.path} with {sorted(lengths)} bytes, not always the same")
    return lengths.pop()
