# SPDX-License-Identifier: Apache-2.0
"""Background work: the queue in the database, the worker, the schedule. Knows no kind of job."""

from hubkeep.jobs.job import Job, Kinds, kinds_of
from hubkeep.jobs.queue import enqueue
from hubkeep.jobs.schedule import Periodic
from hubkeep.jobs.worker import Worker

__all__ = ["Job", "Kinds", "Periodic", "Worker", "enqueue", "kinds_of"]
