# SPDX-License-Identifier: Apache-2.0
"""Git objects, trees, commits and refs in the database; no HTTP, no HTML."""
