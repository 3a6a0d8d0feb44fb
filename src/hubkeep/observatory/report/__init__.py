# SPDX-License-Identifier: Apache-2.0
"""Reports: figures over a snapshot as files that people and programs read without a hub."""
