# SPDX-License-Identifier: Apache-2.0
"""Queries of git's addresses."""

import msgspec


class InfoRefsQuery(msgspec.Struct):
    """`GET .../info/refs`; without a service it is the protocol of before 2010."""

    service: str = ""
