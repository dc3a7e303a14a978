"""What ends a run early: a fact for the reader, without a stack trace."""


class Failure(Exception):
    """The message: one line, or that and the last output of a server; `code`: the exit code."""

    def __init__(self, message, code=1):
        super().__init__(message)
        self.code = code
