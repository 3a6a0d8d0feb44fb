# SPDX-License-Identifier: Apache-2.0
"""All that rooms call to read a repository and to move its refs.

Commits are made by `changes`, `squash` and `rewrite`.
"""

from hubkeep.git.compare import compare, compare_in_parts
from hubkeep.git.history import count_commits, log
from hubkeep.git.last_commits import LastCommits, Memo, last_commit, last_commits
from hubkeep.git.path_history import PathPage, log_of_path
from hubkeep.git.queries import set_revision_facts
from hubkeep.git.queries_refs import refs_below
from hubkeep.git.reading import all_files, blob, commit_object, entries, entry, folder, walk
from hubkeep.git.refs import (
    BRANCHES,
    TAGS,
    branch_exists,
    create_branch,
    create_tag,
    delete_branch,
    delete_tag,
    refs,
    resolve,
)
from hubkeep.git.trees import EMPTY_TREE
from hubkeep.git.types import CommitRow, Entry, FileChange, Ref, Revision

__all__ = [
    "BRANCHES",
    "EMPTY_TREE",
    "TAGS",
    "CommitRow",
    "Entry",
    "FileChange",
    "LastCommits",
    "Memo",
    "PathPage",
    "Ref",
    "Revision",
    "all_files",
    "blob",
    "branch_exists",
    "commit_object",
    "compare",
    "compare_in_parts",
    "count_commits",
    "create_branch",
    "create_tag",
    "delete_branch",
    "delete_tag",
    "entries",
    "entry",
    "folder",
    "last_commit",
    "last_commits",
    "log",
    "log_of_path",
    "refs",
    "refs_below",
    "resolve",
    "set_revision_facts",
    "walk",
]
