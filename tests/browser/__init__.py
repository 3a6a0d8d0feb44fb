# SPDX-License-Identifier: Apache-2.0
"""Tests in a browser: a package, so that what lives as long as its tests ends with them."""
