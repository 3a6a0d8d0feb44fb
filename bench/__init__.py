# SPDX-License-Identifier: Apache-2.0
"""Measurements, each printed as JSON and as a table: `make bench`."""
