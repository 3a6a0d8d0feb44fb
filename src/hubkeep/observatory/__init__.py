# SPDX-License-Identifier: Apache-2.0
"""The observatory: snapshots of a hub, and the figures that are computed from them."""
