# SPDX-License-Identifier: Apache-2.0
"""`docs/findings.md`: what others have said of huggingface.co beside what real data give here."""
