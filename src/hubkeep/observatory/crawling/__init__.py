# SPDX-License-Identifier: Apache-2.0
"""Snapshots of any hub that speaks the Hugging Face API, read page by page.

A crawl keeps what it has read (`kept`), goes on from there after it was killed, and becomes a
snapshot only when it has come to the end of all lists.
"""
