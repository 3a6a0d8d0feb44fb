# SPDX-License-Identifier: Apache-2.0
"""The Xet side of transfers: the content-addressed store that `hf_xet` speaks to."""
