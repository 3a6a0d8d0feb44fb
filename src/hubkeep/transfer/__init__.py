# SPDX-License-Identifier: Apache-2.0
"""How bytes come and go: git-lfs and signed addresses."""
