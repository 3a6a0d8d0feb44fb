# SPDX-License-Identifier: Apache-2.0
"""Git over HTTP: fetch, push, archives."""
