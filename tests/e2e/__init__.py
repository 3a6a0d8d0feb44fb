# SPDX-License-Identifier: Apache-2.0
"""The stock libraries against a live hub, from an environment that holds nothing of Hubkeep."""
