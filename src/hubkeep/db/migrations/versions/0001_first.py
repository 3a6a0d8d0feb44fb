# SPDX-License-Identifier: Apache-2.0
"""The first schema, table by table in the order in which they refer to each other."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_SEARCH_ON_SQLITE = (
    """CREATE VIRTUAL TABLE search_fts USING fts5(terms, content='search_docs',
        content_rowid='repo_id', detail=none, columnsize=0, tokenize="ascii tokenchars '-_./~'")""",
    """CREATE TRIGGER search_docs_insert AFTER INSERT ON search_docs BEGIN
        INSERT INTO search_fts (rowid, terms) VALUES (new.repo_id, new.terms); END""",
    """CREATE TRIGGER search_docs_delete AFTER DELETE ON search_docs BEGIN
        INSERT INTO search_fts (search_fts, rowid, terms)
        VALUES ('delete', old.repo_id, old.terms); END""",
    """CREATE TRIGGER search_docs_update AFTER UPDATE ON search_docs BEGIN
        INSERT INTO search_fts (search_fts, rowid, terms)
        VALUES ('delete', old.repo_id, old.terms);
        INSERT INTO search_fts (rowid, terms) VALUES (new.repo_id, new.terms); END""",
)


def upgrade() -> None:
    _accounts()
    _downloads_seen()
    _files()
    _hub()
    _jobs()
    _search_docs()
    _tag_changes()
    _tag_counts()
    _memberships()
    _repos()
    _tokens()
    _downloads_daily()
    _facts()
    _git_objects()
    _git_refs()
    _likes()
    _repo_aliases()
    _repo_files()
    _uploads()
    _git_commits()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("name_key", sa.String(length=96), nullable=False),
        sa.Column("fullname", sa.String(length=256), server_default="", nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("details", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("org_type", sa.String(length=16), nullable=True),
        sa.Column("default_private", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name_key", name=op.f("uq_accounts_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_accounts_public_id")),
    )


def _downloads_seen() -> None:
    op.create_table(
        "downloads_seen",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_downloads_seen")),
    )
    op.create_index(
        op.f("ix_downloads_seen_counted_at"), "downloads_seen", ["counted_at"], unique=False
    )


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.Text(), nullable=True),
        sa.Column("unlinked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("sha256", name=op.f("uq_files_sha256")),
    )
    op.create_index(op.f("ix_files_unlinked_at"), "files", ["unlinked_at"], unique=False)


def _hub() -> None:
    op.create_table(
        "hub",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hub")),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.String(length=256), nullable=True),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_jobs_dedup_key")),
    )
    op.create_index("ix_jobs_run_at", "jobs", ["failed", "run_at"], unique=False)


def _search_docs() -> None:
    op.create_table(
        "search_docs",
        sa.Column(
            "repo_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "terms", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("repo_id", name=op.f("pk_search_docs")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_search_docs_terms",
            "search_docs",
            ["terms"],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )
    else:
        for statement in _SEARCH_ON_SQLITE:
            op.execute(statement)


def _tag_changes() -> None:
    op.create_table(
        "tag_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("term", sa.String(length=32), nullable=False),
        sa.Column("repo_type", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=256), nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_changes")),
    )


def _tag_counts() -> None:
    op.create_table(
        "tag_counts",
        sa.Column("term", sa.String(length=32), nullable=False),
        sa.Column("repo_type", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=256), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_tag_counts")),
    )
    op.create_index(
        "ix_tag_counts_kind", "tag_counts", ["repo_type", "kind", "count"], unique=False
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("org_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["accounts.id"], name=op.f("fk_memberships_org_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)


def _repos() -> None:
    op.create_table(
        "repos",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "creator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("path", sa.String(length=193), nullable=False),
        sa.Column("path_key", sa.String(length=193), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("gated", sa.String(length=8), server_default="", nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("default_branch", sa.String(length=255), server_default="main", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_modified", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=20), nullable=True),
        sa.Column("facts_id", sa.BigInteger(), nullable=True),
        sa.Column("head_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pipeline_tag", sa.String(length=256), nullable=True),
        sa.Column("library_name", sa.String(length=256), nullable=True),
        sa.Column("license", sa.String(length=256), nullable=True),
        sa.Column("sdk", sa.String(length=32), nullable=True),
        sa.Column("num_parameters", sa.BigInteger(), nullable=True),
        sa.Column("emissions_grams", sa.Float(), nullable=True),
        sa.Column("tags", sa.Text(), server_default="[]", nullable=False),
        sa.Column("used_storage", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("downloads", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("downloads_all", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("likes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trending", sa.Float(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["accounts.id"], name=op.f("fk_repos_creator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["accounts.id"], name=op.f("fk_repos_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repos")),
        sa.UniqueConstraint("public_id", name=op.f("uq_repos_public_id")),
        sa.UniqueConstraint("type", "path_key", name=op.f("uq_repos_type_path_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_repos_by_created_at", "repos", ["type", "private", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_repos_by_downloads", "repos", ["type", "private", "downloads", "id"], unique=False
    )
    op.create_index(
        "ix_repos_by_last_modified",
        "repos",
        ["type", "private", "last_modified", "id"],
        unique=False,
    )
    op.create_index("ix_repos_by_likes", "repos", ["type", "private", "likes", "id"], unique=False)
    op.create_index(
        "ix_repos_by_trending", "repos", ["type", "private", "trending", "id"], unique=False
    )
    op.create_index(op.f("ix_repos_creator_id"), "repos", ["creator_id"], unique=False)
    op.create_index("ix_repos_owner_id", "repos", ["owner_id", "type", "private"], unique=False)


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name=op.f("fk_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tokens_public_id")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_tokens_user_id_name")),
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)


def _downloads_daily() -> None:
    op.create_table(
        "downloads_daily",
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name=op.f("fk_downloads_daily_repo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("repo_id", "day", name=op.f("pk_downloads_daily")),
    )
    op.create_index("ix_downloads_daily_day", "downloads_daily", ["day"], unique=False)


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=20), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_facts_repo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
        sa.UniqueConstraint("repo_id", "digest", name=op.f("uq_facts_repo_id_digest")),
    )


def _git_objects() -> None:
    op.create_table(
        "git_objects",
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("oid", sa.LargeBinary(length=20), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("lfs_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("lfs_size", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_git_objects_repo_id")),
        sa.UniqueConstraint("repo_id", "oid", name=op.f("uq_git_objects_repo_id_oid")),
    )


def _git_refs() -> None:
    op.create_table(
        "git_refs",
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("oid", sa.LargeBinary(length=20), nullable=False),
        sa.Column("commit_oid", sa.LargeBinary(length=20), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_git_refs_repo_id")),
        sa.PrimaryKeyConstraint("repo_id", "name", name=op.f("pk_git_refs")),
    )


def _likes() -> None:
    op.create_table(
        "likes",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name=op.f("fk_likes_repo_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name=op.f("fk_likes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "repo_id", name=op.f("pk_likes")),
    )
    op.create_index("ix_likes_created_at", "likes", ["created_at"], unique=False)
    op.create_index("ix_likes_repo_id", "likes", ["repo_id", "created_at", "user_id"], unique=False)
    op.create_index("ix_likes_user_id", "likes", ["user_id", "created_at", "repo_id"], unique=False)


def _repo_aliases() -> None:
    op.create_table(
        "repo_aliases",
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("path_key", sa.String(length=193), nullable=False),
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name=op.f("fk_repo_aliases_repo_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("type", "path_key", name=op.f("pk_repo_aliases")),
    )
    op.create_index(op.f("ix_repo_aliases_repo_id"), "repo_aliases", ["repo_id"], unique=False)


def _repo_files() -> None:
    op.create_table(
        "repo_files",
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("pushed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("pushed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_repo_files_file_id")),
        sa.ForeignKeyConstraint(
            ["pushed_by"],
            ["accounts.id"],
            name=op.f("fk_repo_files_pushed_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_repo_files_repo_id")),
        sa.PrimaryKeyConstraint("repo_id", "file_id", name=op.f("pk_repo_files")),
        sa.UniqueConstraint("public_id", name=op.f("uq_repo_files_public_id")),
    )
    op.create_index(op.f("ix_repo_files_file_id"), "repo_files", ["file_id"], unique=False)
    op.create_index(op.f("ix_repo_files_pushed_by"), "repo_files", ["pushed_by"], unique=False)


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("part_size", sa.BigInteger(), nullable=False),
        sa.Column("store_upload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repo_id"], ["repos.id"], name=op.f("fk_uploads_repo_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["accounts.id"], name=op.f("fk_uploads_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("repo_id", "sha256", name=op.f("uq_uploads_repo_id_sha256")),
    )
    op.create_index("ix_uploads_created_at", "uploads", ["created_at"], unique=False)
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"], unique=False)


def _git_commits() -> None:
    op.create_table(
        "git_commits",
        sa.Column("repo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("oid", sa.LargeBinary(length=20), nullable=False),
        sa.Column("tree", sa.LargeBinary(length=20), nullable=False),
        sa.Column("parents", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("linear", sa.Boolean(), nullable=False),
        sa.Column("committed_at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("facts_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("last_changes", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["accounts.id"],
            name=op.f("fk_git_commits_author_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["facts_id"], ["facts.id"], name=op.f("fk_git_commits_facts_id")),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name=op.f("fk_git_commits_repo_id")),
        sa.UniqueConstraint("repo_id", "oid", name=op.f("uq_git_commits_repo_id_oid")),
    )
    op.create_index(op.f("ix_git_commits_author_id"), "git_commits", ["author_id"], unique=False)
    op.create_index(op.f("ix_git_commits_facts_id"), "git_commits", ["facts_id"], unique=False)
