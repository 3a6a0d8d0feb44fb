# SPDX-License-Identifier: Apache-2.0
"""Repositories: life cycle, settings, listing and search, likes, counts."""
