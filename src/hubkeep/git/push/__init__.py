# SPDX-License-Identifier: Apache-2.0
"""What a push brings: taken in apart from everything else, looked at, and written down at once."""
