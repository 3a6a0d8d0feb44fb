# SPDX-License-Identifier: Apache-2.0
"""Keeping lists and search up to date with a repository."""

from sqlalchemy import Connection

from hubkeep.repos.queries_list_index import (
    CountedTag,
    count_tags,
    load_indexed,
    load_terms,
    store_terms,
)
from hubkeep.repos.search_tags import kind_of_tag
from hubkeep.repos.search_terms import Indexed, class_of, is_public_tag, tag_term, terms_of


def reindex(conn: Connection, repo_id: int) -> None:
    """Let lists and search find a repository by what its row says now, or no more if it is deleted.

    To be called in the transaction that creates, moves, opens, closes, gates or deletes it, or
    moves its head, after the row was written. It is cheap where nothing changed. Counters need no
    call: lists read them from the row.
    """
    repo = load_indexed(conn, repo_id)
    before = load_terms(conn, repo_id)
    after = terms_of(repo) if repo else frozenset()
    if before == after:
        return
    store_terms(conn, repo_id, after)
    had = {term for term in before if is_public_tag(term)}
    has = _counted_tags(repo) if repo and not repo.private else {}
    count_tags(
        conn,
        [tag for term, tag in has.items() if term not in had],
        [term for term in had if term not in has],
    )


def _counted_tags(repo: Indexed) -> dict[str, CountedTag]:
    letter = class_of(repo.type, private=False)
    counted = {}
    for tag in repo.tags:
        term = tag_term(letter, tag)
        counted[term] = CountedTag(term, repo.type, kind_of_tag(repo.type, tag), tag)
    return counted
