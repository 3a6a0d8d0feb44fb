# SPDX-License-Identifier: Apache-2.0
"""Runs the stock client's own tests, which come with its source distribution, against a hub."""
