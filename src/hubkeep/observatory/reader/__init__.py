# SPDX-License-Identifier: Apache-2.0
"""A process beside the server that reads snapshots for pages: DuckDB and what goes with it take
memory and time, and neither is the server's to give.

`process.Reader` is the server's end, `child` the other, `wire` what they say to each other.
"""
