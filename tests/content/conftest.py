# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.content.shelf import Shelf
from tests.harness.hub import TestHub


@pytest.fixture
def shelf(hub: TestHub) -> Shelf:
    return Shelf(hub).create()
