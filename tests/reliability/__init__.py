# SPDX-License-Identifier: Apache-2.0
"""Proof that nothing acknowledged is lost when a hub is killed at any moment."""
