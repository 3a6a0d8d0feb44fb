# SPDX-License-Identifier: Apache-2.0
"""`hubkeep worker`."""

import asyncio
import logging
import os
import signal

import click

from hubkeep.cli.common import hub_options, log_to_stderr, reported, settings
from hubkeep.config import Config

log = logging.getLogger("hubkeep.worker")


@click.command()
@hub_options
@click.option("--once", is_flag=True, help="Run what is due, then end.")
@click.option("--beside", is_flag=True, hidden=True)
def worker(once: bool, beside: bool, **options: object) -> None:
    """Run background jobs until told to stop.

    'hubkeep serve' runs one of its own; more may run anywhere that reaches the same database.
    SIGTERM or Ctrl-C lets a job end, 20 seconds at most; what is broken off is done later.

    \b
    Examples:
      hubkeep worker --data ./hub
      hubkeep worker --once --data ./hub
    """
    config = settings(**options)
    log_to_stderr(config)
    with reported():
        asyncio.run(_run(config, once=once, beside=beside))


async def _run(config: Config, *, once: bool, beside: bool) -> None:
    from hubkeep.app import open_app
    from hubkeep.cli.children import end_with_parent
    from hubkeep.job_kinds import worker_of

    if config.xet_convert:
        _prepare_to_convert(config)
    _say_what_snapshots_lack(config)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    if beside:
        # At once, without an end to the job: whoever kills the hub wants nothing of it to run on.
        end_with_parent(lambda: os._exit(1))
    async with open_app(config) as app:
        if once:
            await worker_of(app).run_due()
        else:
            await worker_of(app).run(stopping)


def _say_what_snapshots_lack(config: Config) -> None:
    from hubkeep.observatory.taking.daily import lacks_libraries

    if lacks_libraries(config):
        log.warning(
            "no snapshots of the hub are taken: pip install 'hubkeep[observatory]' has what that"
            " needs; HUBKEEP_SNAPSHOTS=off if there are to be none"
        )


def _prepare_to_convert(config: Config) -> None:
    """Say once what converting lacks, and where hf_xet is to remember what it has sent."""
    from hubkeep.transfer.cas.converting import can_convert, own_address

    if not can_convert():
        log.warning("HUBKEEP_XET_CONVERT does nothing: pip install 'hubkeep[convert]' has hf_xet")
    elif own_address(config) is None:
        log.warning("HUBKEEP_XET_CONVERT does nothing: set HUBKEEP_PUBLIC_URL or HUBKEEP_PORT")
    os.environ.setdefault("HF_XET_CACHE", str(config.data.absolute() / "xet-cache"))
