"""`python -m server`: arguments, environment and file into one configuration, then serve."""

import asyncio
import os
import sys

from engines.errors import ConfigError, ModelError
from server import logs, offline
from server.config import parse


def main() -> int:
    """The process's exit status: 0 after a signal, 1 for a failure, 2 for a wrong configuration."""
    try:
        config = parse(sys.argv[1:], os.environ)
    except ConfigError as error:
        sys.stderr.write(f"tinig: {error}\n")
        return 2
    logs.configure(config.server.log_format, config.server.log_level)
    if config.server.offline:
        offline.enforce(config)
    # After --help and --print-config, since the engines take a second to import.
    from server.app import serve  # noqa: PLC0415

    try:
        return asyncio.run(serve(config))
    except (ConfigError, ModelError) as error:
        sys.stderr.write(f"tinig: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
