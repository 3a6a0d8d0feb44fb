# SPDX-License-Identifier: Apache-2.0
"""Figures over one snapshot, in this process: `python -m bench.observatory_ours FOLDER [ID...]`.

Prints JSON: for each figure its seconds, in all and of CPU, rows and models; what opening took; the
peak memory of the process. With --tables it prints the tables instead.
"""

import json
import resource
import sys
import time
from pathlib import Path

from hubkeep.observatory.figures import all_figures
from hubkeep.observatory.session import Places, Session


def main() -> None:
    folder, *names = [one for one in sys.argv[1:] if not one.startswith("--")]
    single = [name for name, one in all_figures().items() if one.figure.snapshots == 1]
    said: dict[str, object] = {}
    began = time.perf_counter()
    with Session(Places.of([Path(folder)])) as session:
        said["open"] = time.perf_counter() - began
        session.settle(len(names or single))
        said["ready"] = time.perf_counter() - began
        for name in names or single:
            started, used = time.perf_counter(), time.process_time()
            result = session.figure(name)
            said[name] = {
                "seconds": time.perf_counter() - started,
                "cpu": time.process_time() - used,
                "rows": len(result.table),
                "n": result.n,
                "lacks": list(result.missing_columns),
            }
            if "--tables" in sys.argv:
                said[name] = result.table.to_pylist()
    said["seconds"] = time.perf_counter() - began
    said["cpu"] = time.process_time()
    said["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(said, default=str))


if __name__ == "__main__":
    main()
