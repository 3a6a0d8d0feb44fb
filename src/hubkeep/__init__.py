# SPDX-License-Identifier: Apache-2.0
"""Hubkeep: a model hub that you run yourself, and the observatory that goes with it."""
