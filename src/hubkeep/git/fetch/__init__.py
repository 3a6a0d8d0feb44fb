# SPDX-License-Identifier: Apache-2.0
"""What fetches are served from: bare repositories on this machine that follow the database."""
