# SPDX-License-Identifier: Apache-2.0
"""What tests stand on: databases that are theirs alone, and no way out of the machine."""
