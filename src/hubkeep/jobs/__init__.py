# SPDX-License-Identifier: Apache-2.0
"""The queue, the worker and the schedule."""
