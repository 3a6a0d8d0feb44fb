# SPDX-License-Identifier: Apache-2.0
"""The stock client, and hostile ones, against a live hub."""

import pytest

stock = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
"""Mark (`pytestmark = stock`) of modules that run the stock client in this process: warnings are
errors, and this one it gives of its own calls.
"""
