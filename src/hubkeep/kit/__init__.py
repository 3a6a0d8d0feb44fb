# SPDX-License-Identifier: Apache-2.0
"""Tools that know nothing of hubs: ids, time, routing, ranges, pagination, HTTP helpers."""
