# SPDX-License-Identifier: Apache-2.0
"""The stock client, and hostile ones, against a live hub."""
