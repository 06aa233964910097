"""`python -m benchmarks.null_server`: the whole server, with engines that take no time."""

import asyncio
import os
import sys

from aiohttp import web

from benchmarks.null_engines import null_engines
from server import logs
from server.app import Server, settle
from server.config import Config, parse
from server.language.spoken import prepare
from server.language.warm import warm


async def _serve(config: Config) -> None:
    talk = config.conversation
    warm(talk.languages)
    prepare([talk.locale(language) for language in talk.languages])
    async with null_engines() as engines:
        runner = web.AppRunner(Server(config, engines).application(), access_log=None)
        await runner.setup()
        settle()
        try:
            await web.TCPSite(runner, config.server.host, config.server.port).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    configured = parse(sys.argv[1:], os.environ)
    logs.configure(configured.server.log_format, configured.server.log_level)
    asyncio.run(_serve(configured))
