"""Every error that Tinig raises on purpose, in one tree.

Each class has a `code` (what a client matches on) and its message is a sentence that says what to
do.
"""


class TinigError(Exception):
    """Root of all errors that Tinig raises on purpose."""

    code = "internal_error"


class ConfigError(TinigError):
    """The configuration is wrong: names the field, the value and what is allowed."""

    code = "invalid_config"


class ProtocolError(TinigError):
    """A client's message cannot be accepted. The session lives on."""

    code = "invalid_request_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
        self.param = param


class EngineError(TinigError):
    """A model failed on one job. The turn that asked for it ends; the session goes on."""

    code = "engine_error"


class ModelError(EngineError):
    """A model file is missing or broken: names the file and the command that mends it."""

    code = "model_error"


class Overloaded(EngineError):
    """The waiting line is full. Told to the client at once rather than answered late."""

    code = "overloaded"


class ContextTooLong(EngineError):
    """The prompt does not fit the model's context, even after trimming the history."""

    code = "context_too_long"
