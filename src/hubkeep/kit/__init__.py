# SPDX-License-Identifier: Apache-2.0
"""Tools that know nothing of hubs: routing, ranges, cursors, batches, threads, ids, time."""
