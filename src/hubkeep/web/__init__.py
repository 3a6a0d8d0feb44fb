# SPDX-License-Identifier: Apache-2.0
"""Pages: rendered on the server, each with its data as JSON at the same address."""
