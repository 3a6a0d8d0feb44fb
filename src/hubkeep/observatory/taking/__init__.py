# SPDX-License-Identifier: Apache-2.0
"""Snapshots of this hub, from its own database."""
