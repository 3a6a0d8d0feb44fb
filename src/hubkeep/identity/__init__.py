# SPDX-License-Identifier: Apache-2.0
"""Accounts, tokens, sign-in and the one policy function."""
