# SPDX-License-Identifier: Apache-2.0
"""What is inside a repository at a revision."""
