# SPDX-License-Identifier: Apache-2.0
"""Why a crawl cannot go on."""


class CrawlFailed(ValueError):
    """The hub cannot be read, or not as it is; the text says why and what helps."""


class TooMuch(CrawlFailed):
    """One answer is too large, or too much work for the hub: a shorter page may not be."""


class Damaged(CrawlFailed):
    """What was kept cannot be read: there is nothing to go on with."""


class Nothing(CrawlFailed):
    """The hub was read to the end, and there is nothing to make a snapshot of."""


class Stopped(Exception):
    """Another thread of the crawl has failed, or somebody has ended it: this one stops as well."""
