# SPDX-License-Identifier: Apache-2.0
"""SQL that people write, over snapshots.

SQL is code, and a database has no walls inside: so each query runs in a process of its own that can
open nothing and take little. `process.Console` is the server's end, `child` the other.
"""
