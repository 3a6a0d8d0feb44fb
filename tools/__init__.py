# SPDX-License-Identifier: Apache-2.0
"""Tools of the project itself; none of them is installed with it."""
