# SPDX-License-Identifier: Apache-2.0
"""All tables of the hub. Times are milliseconds in UTC, git oids are 20 raw bytes, sizes are bytes.

Names ending in `_key` are lower-cased for lookup; the name as written stands beside them. A
`public_id` never changes. JSON is kept as text, written and read by msgspec at the edge of the
queries.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What begins like something is found by an index: in the order of bytes, which SQLite has anyway.
Key = String(96).with_variant(String(96, collation="C"), "postgresql")
# 64 bits on PostgreSQL; SQLite numbers rows itself only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
Oid = LargeBinary(20)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


# What the hub remembers of itself, by name: the secret that signs addresses, when jobs last came
# round, up to which day downloads are rolled.
hub = Table(
    "hub",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("kind", String(4), nullable=False),  # user | org
    Column("name", String(96), nullable=False),
    Column("name_key", Key, nullable=False, unique=True),
    Column("fullname", String(256), nullable=False, server_default=""),
    Column("email", String(320)),
    Column("details", Text, nullable=False, server_default=""),
    Column("password_hash", String(256)),
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("org_type", String(16)),
    Column("default_private", Boolean, nullable=False, server_default=false()),
    _time("created_at"),
)

# For administrators' lists, which ask for the last two in these very words.
Index("ix_accounts_kind", accounts.c.kind, accounts.c.name_key)
Index("ix_accounts_email", accounts.c.email)
for _which in ("is_admin", "disabled"):
    Index(
        f"ix_accounts_{_which}",
        accounts.c.kind,
        accounts.c.name_key,
        sqlite_where=text(_which),
        postgresql_where=text(_which),
    )

memberships = Table(
    "memberships",
    metadata,
    Column("org_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),  # admin | write | contributor | read
    _time("created_at"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(128), nullable=False),
    Column("role", String(16), nullable=False),  # read | write | fineGrained
    Column("hash", LargeBinary(32), nullable=False, unique=True),  # sha256 of the token
    Column("hint", String(16), nullable=False),  # its last characters, to tell tokens apart
    _time("created_at"),
    _time("expires_at", nullable=True),
    UniqueConstraint("user_id", "name"),
)

# Browsers that somebody has signed in with.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),  # sha256 of the cookie
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "agent", String(256), nullable=False, server_default=""
    ),  # what the browser calls itself
    _time("created_at"),
    _time("seen_at"),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# Links by which somebody may sign up where the hub does not let everybody; each works once.
invitations = Table(
    "invitations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("note", String(256), nullable=False, server_default=""),
    Column("made_by", ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    _time("created_at"),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# Pictures of accounts, as the hub drew them anew from what was sent; who has none gets a pattern.
avatars = Table(
    "avatars",
    metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # a PNG
    _time("changed_at"),
)

# Passwords that were wrong of late, by the name that was given: what is guessed at is closed for a
# while.
failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("name_key", String(96), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", BigInteger, nullable=False, index=True),
)

repos = Table(
    "repos",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("type", String(8), nullable=False),  # model | dataset | space | kernel
    Column("owner_id", ForeignKey("accounts.id"), nullable=False),
    Column("creator_id", ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("path", String(193), nullable=False),  # namespace/name, as written
    Column("path_key", String(193), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("gated", String(8), nullable=False, server_default=""),  # "" | auto | manual
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("default_branch", String(255), nullable=False, server_default="main"),
    _time("created_at"),
    _time("last_modified"),
    # What the head of the default branch says; written in the transaction that moves it.
    Column("head", Oid),
    Column("facts_id", BigInteger),  # facts.id of the head; no foreign key, since facts point back
    Column("head_size", BigInteger, nullable=False, server_default="0"),
    Column("pipeline_tag", String(256)),
    Column("library_name", String(256)),
    Column("license", String(256)),
    Column("sdk", String(32)),
    Column("num_parameters", BigInteger),
    Column("emissions_grams", Float),
    Column("tags", Text, nullable=False, server_default="[]"),  # JSON list, in order
    # Counters; downloads are those of the last 30 days.
    Column("used_storage", BigInteger, nullable=False, server_default="0"),
    Column("downloads", BigInteger, nullable=False, server_default="0"),
    Column("downloads_all", BigInteger, nullable=False, server_default="0"),
    Column("likes", Integer, nullable=False, server_default="0"),
    Column("trending", Float, nullable=False, server_default="0"),
    # More that the head says, for snapshots; null where it has not been looked at for this.
    Column("has_card", Boolean),
    Column("weight_formats", String(32)),  # of gguf, pickle, safetensors, with blanks between
    Column("parameters_from", String(16)),  # safetensors | gguf
    Column("emissions_text", String(200)),  # the beginning of what the card says of them
    UniqueConstraint("type", "path_key"),
    # An id is never given twice: addresses that were signed for a deleted repository name it.
    sqlite_autoincrement=True,
)
# Counts by namespace, type and visibility are answered from this index alone.
Index("ix_repos_owner_id", repos.c.owner_id, repos.c.type, repos.c.private)

# Old names of moved repositories; they lead to the new one for good, until the name is taken again.
repo_aliases = Table(
    "repo_aliases",
    metadata,
    Column("type", String(8), primary_key=True),
    Column("path_key", String(193), primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False, index=True),
)

likes = Table(
    "likes",
    metadata,
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True),
    _time("created_at"),
)
Index("ix_likes_user_id", likes.c.user_id, likes.c.created_at, likes.c.repo_id)
Index("ix_likes_repo_id", likes.c.repo_id, likes.c.created_at, likes.c.user_id)
Index("ix_likes_created_at", likes.c.created_at)

# --- git: see docs/decisions; objects are never shared between repositories.

git_objects = Table(
    "git_objects",
    metadata,
    Column("repo_id", ForeignKey("repos.id"), nullable=False),
    Column("oid", Oid, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # git's pack types: 1 commit 2 tree 3 blob 4 tag
    Column("size", BigInteger, nullable=False),  # inflated, without git's header
    # For blobs that are git-lfs pointers: what they point at.
    Column("lfs_sha256", LargeBinary(32)),
    Column("lfs_size", BigInteger),
    # Deflated, as in a pack entry. Last, since SQLite reads through what stands before a column.
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("repo_id", "oid"),
)

git_commits = Table(
    "git_commits",
    metadata,
    Column("repo_id", ForeignKey("repos.id"), nullable=False),
    Column("oid", Oid, nullable=False),
    Column("tree", Oid, nullable=False),
    Column("parents", LargeBinary, nullable=False),  # 20 bytes each, in order
    Column("generation", Integer, nullable=False),  # 1 + the largest of the parents'
    Column("linear", Boolean, nullable=False),  # no merge from here back: generation = commits
    _time("committed_at"),
    Column("author", Text, nullable=False),  # name <email>
    Column("author_id", ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),  # the body, without the title
    Column("facts_id", ForeignKey("facts.id"), index=True),
    Column("size", BigInteger),  # of all files at this revision, LFS files counted in full
    # Which commit last changed each entry of the folders that this commit changed: see
    # git/last_commits.py.
    Column("last_changes", LargeBinary),
    UniqueConstraint("repo_id", "oid"),
)

# What the card, the headers and the file list of a revision say (cards.Facts as JSON); commits that
# change none of it share a row.
facts = Table(
    "facts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("repo_id", ForeignKey("repos.id"), nullable=False),
    Column("digest", LargeBinary(20), nullable=False),  # sha1 of data
    Column("data", Text, nullable=False),
    UniqueConstraint("repo_id", "digest"),
)

git_refs = Table(
    "git_refs",
    metadata,
    Column("repo_id", ForeignKey("repos.id"), primary_key=True),
    Column("name", String(512), primary_key=True),  # refs/heads/main
    Column("oid", Oid, nullable=False),  # what the ref holds: a commit, or an annotated tag
    Column("commit_oid", Oid, nullable=False),  # the commit that it leads to
    _time("updated_at"),
)

# --- large files

# A stored file: whole in the blob store, as a list of chunks of xorbs, or both. Its sha256 is
# computed by the hub, never only claimed, and is null until then.
files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sha256", LargeBinary(32), unique=True),
    Column("size", BigInteger, nullable=False),
    Column("header", Text),  # cards.FileHeader as JSON, for formats that have one
    Column("unlinked_at", BigInteger, index=True),  # since when no repository refers to it
    _time("created_at"),
    # What follows came with Xet: SQLite adds columns at the end.
    Column("xet_hash", LargeBinary(32)),  # null: not stored as chunks
    Column("whole", Boolean, nullable=False, server_default=true()),  # stored under its sha256
    Column("spare_since", BigInteger, index=True),  # since when a whole copy is not needed any more
    Column("checked_at", BigInteger, index=True),  # when what is stored of it was last read again
    Column("damaged_at", BigInteger, index=True),  # when that was found not to be the file
)
Index("ix_files_xet_hash", files.c.xet_hash, unique=True)
Index(
    "ix_files_unchecked",
    files.c.created_at,
    sqlite_where=files.c.sha256.is_(None),
    postgresql_where=files.c.sha256.is_(None),
)
# For turning whole files into chunks: those that can be, and those that have been and are still
# there as a whole. `queries_converting` asks for them in these very words.
for _name, _which in (
    ("ix_files_convertible", text("xet_hash IS NULL AND size >= 65536")),
    ("ix_files_twofold", text("xet_hash IS NOT NULL AND whole")),
):
    Index(_name, files.c.id, sqlite_where=_which, postgresql_where=_which)

# A file belongs to a repository by a row here and is never reachable by its hash alone. `oid` is
# the sha256 by which this repository knows the file: as long as the file's own is null, it is what
# the uploader claims, believed here and nowhere else.
repo_files = Table(
    "repo_files",
    metadata,
    Column("repo_id", ForeignKey("repos.id"), primary_key=True),
    Column("file_id", ForeignKey("files.id"), primary_key=True, index=True),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("filename", Text),  # the path that it was first committed under
    Column("ref", Text),
    Column("pushed_by", ForeignKey("accounts.id", ondelete="SET NULL"), index=True),
    _time("pushed_at"),
    Column("oid", LargeBinary(32)),
)
Index("ix_repo_files_oid", repo_files.c.repo_id, repo_files.c.oid)

# Uploads in parts that are under way, so that they can be resumed and swept.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("part_size", BigInteger, nullable=False),
    Column("store_upload", Text, nullable=False),  # the blob store's id
    _time("created_at"),
    UniqueConstraint("repo_id", "sha256"),
)
Index("ix_uploads_created_at", uploads.c.created_at)
Index("ix_uploads_user_id", uploads.c.user_id)

# Files that somebody has asked the others not to change (`git lfs lock`): one lock a path.
lfs_locks = Table(
    "lfs_locks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("public_id", String(24), nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("ref", String(512)),
    Column("owner_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    _time("locked_at"),
    UniqueConstraint("repo_id", "path"),
)

# --- xet: chunks, stored once, in xorbs

# A container of chunks in the blob store. It counts as stored once it is `ready`: a row is made
# before its bytes come, so that no bytes are ever without one.
xorbs = Table(
    "xorbs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False, server_default="0"),  # bytes stored
    Column("raw_size", BigInteger, nullable=False, server_default="0"),  # bytes of its chunks
    Column("chunks", Integer, nullable=False, server_default="0"),
    Column("ready", Boolean, nullable=False, server_default=false()),
    Column("unlinked_at", BigInteger, index=True),  # since when no file refers to it
    Column("checked_at", BigInteger, index=True),  # when its bytes were last hashed
    Column("damaged_at", BigInteger, index=True),  # when they were found to be others
    _time("created_at"),
)

# Where the chunks of a xorb lie and what they are (xet.index.XorbIndex). Apart from the rows that
# are looked up by the thousand; the ends stand first, since reading needs them alone.
xorb_chunks = Table(
    "xorb_chunks",
    metadata,
    Column("xorb_id", ForeignKey("xorbs.id", ondelete="CASCADE"), primary_key=True),
    Column("ends", LargeBinary, nullable=False),  # two u32 a chunk: stored end, raw end
    Column("hashes", LargeBinary, nullable=False),  # 32 bytes a chunk
)

# Who has sent the bytes of a xorb, and may so refer to it without having a file with it.
xorb_senders = Table(
    "xorb_senders",
    metadata,
    Column("xorb_id", ForeignKey("xorbs.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# A file's terms (xet.shard.pack_terms) in rows of a bounded size; `raw_start` is the offset in the
# file of a row's first byte.
file_terms = Table(
    "file_terms",
    metadata,
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("raw_start", BigInteger, primary_key=True, autoincrement=False),
    Column("terms", LargeBinary, nullable=False),
)

# Which files need which xorbs: a xorb is kept while it has a row here.
file_xorbs = Table(
    "file_xorbs",
    metadata,
    Column("file_id", ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("xorb_id", ForeignKey("xorbs.id"), primary_key=True, index=True),
)

# The chunks that clients ask for when they look for what the hub has: one in about a thousand, and
# the first of every file.
dedup_chunks = Table(
    "dedup_chunks",
    metadata,
    Column("chunk", LargeBinary(32), primary_key=True),
    Column("xorb_id", ForeignKey("xorbs.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# --- counting

downloads_daily = Table(
    "downloads_daily",
    metadata,
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Integer, primary_key=True),  # days since 1970-01-01, UTC
    Column("count", BigInteger, nullable=False),
)
Index("ix_downloads_daily_day", downloads_daily.c.day)

# Who fetched what in the last minutes, so that it counts once, whichever process served it.
downloads_seen = Table(
    "downloads_seen",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("counted_at", BigInteger, nullable=False, index=True),
)

# --- lists and search (docs/decisions/0005)

# The orders in which repositories are listed. Ties are broken by id, so every position is one of a
# kind; `private` stands before the key, so that what strangers list is walked without touching the
# rest.
for _key in ("created_at", "last_modified", "downloads", "likes", "trending", "used_storage"):
    Index(f"ix_repos_by_{_key}", repos.c.type, repos.c.private, repos.c[_key], repos.c.id)

# What each repository is found by, as words (repos/search_terms.py). Counters are not among them
# and change without touching this table. No foreign key: what is deleted is taken out, and counted
# out.
search_docs = Table(
    "search_docs",
    metadata,
    Column("repo_id", Id, primary_key=True, autoincrement=False),
    Column("terms", Text().with_variant(TSVECTOR, "postgresql"), nullable=False),
)
# Without a pending list, whose scan every search would pay for.
Index(
    "ix_search_docs_terms",
    search_docs.c.terms,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "off"},
).ddl_if(dialect="postgresql")
# The same on SQLite: an index over the table's words, kept by triggers. It holds no positions and
# no text, since terms are only ever intersected.
for _statement in (
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
):
    event.listen(search_docs, "after_create", DDL(_statement).execute_if(dialect="sqlite"))

# How many public repositories have a tag, for the lists of tags; `term` is the tag's term.
tag_counts = Table(
    "tag_counts",
    metadata,
    Column("term", String(32), primary_key=True),
    Column("repo_type", String(8), nullable=False),
    Column("kind", String(32), nullable=False),  # license, language, pipeline_tag, ..., other
    Column("tag", String(256), nullable=False),
    Column("count", BigInteger, nullable=False),
)
Index("ix_tag_counts_kind", tag_counts.c.repo_type, tag_counts.c.kind, tag_counts.c.count)

# Changes of these counts that wait to be added up: commits append here and so never wait for each
# other's popular tags.
tag_changes = Table(
    "tag_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("term", String(32), nullable=False),
    Column("repo_type", String(8), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("tag", String(256), nullable=False),
    Column("change", SmallInteger, nullable=False),
)

# --- snapshots of this hub

# Names by which strangers find something no more, since when: of repositories that were closed,
# deleted or renamed, and of accounts that were disabled or deleted. Snapshots of the hub from
# before still hold them. No foreign key: what is deleted stays hidden.
concealed = Table(
    "concealed",
    metadata,
    # repos.id; accounts.id where the type is account.
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(8), primary_key=True),  # model | dataset | space | kernel | account
    Column("path_key", String(193), primary_key=True),
    Column("path", String(193), nullable=False),  # as it was written then
    Column("at", BigInteger, nullable=False, index=True),
)

# --- background work

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("args", Text, nullable=False),  # JSON
    Column("dedup_key", String(256), unique=True),  # of waiting jobs one a key; null once claimed
    Column("run_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", BigInteger),
    Column("error", Text),
    Column("failed", Boolean, nullable=False, server_default=false()),  # given up
    _time("created_at"),
)
Index("ix_jobs_run_at", jobs.c.failed, jobs.c.run_at)
# For administrators, who look at jobs by kind, and at those that somebody has.
Index("ix_jobs_kind", jobs.c.kind, jobs.c.failed, jobs.c.run_at)
Index(
    "ix_jobs_lease_until",
    jobs.c.lease_until,
    sqlite_where=jobs.c.lease_until.is_not(None),
    postgresql_where=jobs.c.lease_until.is_not(None),
)
