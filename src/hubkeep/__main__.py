# SPDX-License-Identifier: Apache-2.0
"""`python -m hubkeep` is the same as `hubkeep`."""

from hubkeep.cli import main

main()
