# SPDX-License-Identifier: Apache-2.0
"""The whole table of addresses, grouped by who calls. Each names the action that it needs.

`{repo}` stands for `{ns}/{name}` and for the one-segment ids of old (`gpt2`); `{T}` for `models`,
`datasets`, `spaces` and `kernels`; `{web}` for nothing, `datasets/`, `spaces/` and `kernels/`.
Paths are matched before they are decoded, so a revision with encoded slashes is one segment.
The coverage table of `docs/api.md` is generated from here.
"""

from collections.abc import Iterable, Iterator

from hubkeep import misc, operations
from hubkeep.content import (
    api_commit,
    api_history,
    api_merge,
    api_preupload,
    api_refs,
    api_tree,
)
from hubkeep.content import (
    api_files as content_files,
)
from hubkeep.identity import api as identity_api
from hubkeep.identity import api_avatars
from hubkeep.identity import api_overviews as people
from hubkeep.identity.rules import Action
from hubkeep.identity.sign_in import taking_passwords
from hubkeep.kit.routing import Router
from hubkeep.repos import (
    api_create,
    api_info,
    api_lifecycle,
    api_likes,
    api_list,
    api_storage,
    api_tags,
)
from hubkeep.repos.types import RepoType
from hubkeep.route import Route, later
from hubkeep.routes_later import later_routes
from hubkeep.routes_pages import page_routes
from hubkeep.transfer import (
    api_batch,
    api_copies,
    api_download,
    api_files,
    api_locks,
    api_upload,
)
from hubkeep.transfer.cas import (
    api_chunks,
    api_data,
    api_grants,
    api_reconstruction,
    api_shards,
    api_tokens,
    api_xorbs,
)
from hubkeep.transfer.cas import api_storage as cas_storage
from hubkeep.transfer.smart import api_archive, api_fetch, api_info_refs, api_push


def all_routes() -> list[Route]:
    """Return the table, in the order of the documentation."""
    return [
        *_accounts(),
        *_repositories(),
        *_likes(),
        *_lists(),
        *_content(),
        *_files(),
        *_refs(),
        *_git(),
        *_lfs(),
        *_xet(),
        *page_routes(),
        *_misc(),
        *_operations(),
        *(Route(m, pattern, later, Action.ANYONE, area) for m, pattern, area in later_routes()),
    ]


def _accounts() -> Iterator[Route]:
    area = "accounts"
    yield Route("GET", "/api/whoami-v2", identity_api.whoami, Action.ACT_AS_USER, area)
    yield Route("GET", "/api/whoami", identity_api.whoami, Action.ACT_AS_USER, area)
    user, org = "/api/users/{user}", "/api/organizations/{org}"
    yield Route("GET", f"{user}/overview", people.user_overview, Action.LIST, area)
    yield Route("GET", f"{user}/avatar", people.user_avatar, Action.LIST, area)
    yield Route("GET", f"{user}/followers", people.nobody_of_user, Action.LIST, area)
    yield Route("GET", f"{user}/following", people.nobody_of_user, Action.LIST, area)
    yield Route("POST", f"{user}/follow", later, Action.ACT_AS_USER, area)
    yield Route("DELETE", f"{user}/follow", later, Action.ACT_AS_USER, area)
    yield Route("GET", f"{org}/overview", people.organisation_overview, Action.LIST, area)
    yield Route("GET", f"{org}/avatar", people.organisation_avatar, Action.LIST, area)
    yield Route("GET", f"{org}/members", people.members, Action.LIST, area)
    yield Route("GET", f"{org}/followers", people.nobody_of_organisation, Action.LIST, area)
    yield Route("POST", f"{org}/follow", later, Action.ACT_AS_USER, area)
    yield Route("DELETE", f"{org}/follow", later, Action.ACT_AS_USER, area)
    yield Route("GET", "/avatars/{file}", api_avatars.avatar, Action.ANYONE, area)
    own = api_storage.own_repositories
    yield Route("GET", "/api/settings/repositories", own, Action.ACT_AS_USER, area)
    theirs = api_storage.organisation_repositories
    yield Route("GET", f"{org}/settings/repositories", theirs, Action.ACT_AS_USER, area)


def _repositories() -> Iterator[Route]:
    area = "repositories"
    yield Route("POST", "/api/repos/create", api_create.create, Action.CREATE_IN, area)
    yield Route("DELETE", "/api/repos/delete", api_lifecycle.delete, Action.ADMINISTER, area)
    yield Route("POST", "/api/repos/move", api_lifecycle.move, Action.ADMINISTER, area)
    repo = "/api/{T}/{repo}"
    yield Route("GET", repo, api_info.info, Action.READ, area)
    yield Route("GET", f"{repo}/revision/{{rev}}", api_info.info_at, Action.READ, area)
    yield Route("GET", f"{repo}/auth-check", api_info.check_read, Action.READ, area)
    yield Route("GET", f"{repo}/auth-check/write", api_info.check_write, Action.WRITE, area)
    stored = cas_storage.storage_of_repo
    yield Route("GET", f"{repo}/storage", stored, Action.WRITE, area)
    yield Route("PUT", f"{repo}/settings", api_lifecycle.change_settings, Action.ADMINISTER, area)
    yield Route("POST", f"{repo}/duplicate", api_create.duplicate, Action.CREATE_IN, area)
    headers = "/api/models/{ns}/{name}/safetensors-metadata/{path*}"
    yield Route("GET", headers, later, Action.READ, area)
    templates = api_create.space_templates
    yield Route("GET", "/api/spaces/templates", templates, Action.ANYONE, area)


def _lists() -> Iterator[Route]:
    area = "list and search"
    yield Route("GET", "/api/{T}", api_list.list_repos, Action.LIST, area)
    yield Route("GET", "/api/models-tags-by-type", api_tags.model_tags, Action.ANYONE, area)
    yield Route("GET", "/api/datasets-tags-by-type", api_tags.dataset_tags, Action.ANYONE, area)
    yield Route("GET", "/api/spaces/semantic-search", later, Action.LIST, area)
    yield Route("GET", "/api/quicksearch", later, Action.LIST, area)
    yield Route("GET", "/api/trending", later, Action.LIST, area)


def _likes() -> Iterator[Route]:
    area = "likes"
    yield Route("POST", "/api/{T}/{repo}/like", api_likes.like, Action.LIKE, area)
    yield Route("DELETE", "/api/{T}/{repo}/like", api_likes.unlike, Action.LIKE, area)
    yield Route("GET", "/api/{T}/{repo}/likers", api_likes.likers, Action.READ, area)
    yield Route("GET", "/api/users/{user}/likes", api_likes.user_likes, Action.LIST, area)


def _content() -> Iterator[Route]:
    area = "tree and commits"
    repo = "/api/{T}/{repo}"
    yield Route("POST", f"{repo}/preupload/{{rev}}", api_preupload.preupload, Action.WRITE, area)
    yield Route("POST", f"{repo}/commit/{{rev}}", api_commit.commit, Action.WRITE, area)
    yield Route("GET", f"{repo}/tree/{{rev}}", api_tree.tree, Action.READ, area)
    yield Route("GET", f"{repo}/tree/{{rev}}/{{path*}}", api_tree.tree, Action.READ, area)
    yield Route("POST", f"{repo}/paths-info/{{rev}}", api_tree.paths_info, Action.READ, area)
    yield Route("GET", f"{repo}/commits/{{rev}}", api_history.commits, Action.READ, area)
    yield Route("GET", f"{repo}/compare/{{revs}}", api_history.compare, Action.READ, area)
    of_path = api_history.commits_of_path
    yield Route("GET", f"{repo}/commits/{{rev}}/{{path*}}", of_path, Action.READ, area)
    yield Route("POST", f"{repo}/merge/{{branch}}", api_merge.merge, Action.WRITE, area)
    yield Route("POST", f"{repo}/revert/{{branch}}", api_merge.revert, Action.WRITE, area)
    yield Route("POST", "/api/validate-yaml", api_preupload.validate_yaml, Action.ANYONE, area)


def _files() -> Iterator[Route]:
    area = "files"
    resolve, raw = content_files.resolve, content_files.raw
    yield Route("GET", "/{web}{repo}/resolve/{rev}/{path*}", resolve, Action.READ, area)
    yield Route("GET", "/{web}{repo}/raw/{rev}/{path*}", raw, Action.READ, area)
    cached = "/api/resolve-cache/{T}/{repo}/{rev}/{path*}"
    yield Route("GET", cached, resolve, Action.READ, area)


def _refs() -> Iterator[Route]:
    area = "branches and tags"
    repo = "/api/{T}/{repo}"
    yield Route("GET", f"{repo}/refs", api_refs.refs, Action.READ, area)
    branch = f"{repo}/branch/{{branch}}"
    yield Route("POST", branch, api_refs.create_branch, Action.WRITE, area)
    yield Route("DELETE", branch, api_refs.delete_branch, Action.WRITE, area)
    # The same segment is a revision when a tag is made and the tag when it is deleted.
    yield Route("POST", f"{repo}/tag/{{rev}}", api_refs.create_tag, Action.WRITE, area)
    yield Route("DELETE", f"{repo}/tag/{{tag}}", api_refs.delete_tag, Action.WRITE, area)
    squash = f"{repo}/super-squash/{{branch}}"
    yield Route("POST", squash, api_refs.super_squash, Action.WRITE, area)


def _git() -> Iterator[Route]:
    area = "git over http"
    repo = "/{web}{repo}"
    refs, head = taking_passwords(api_info_refs.info_refs), taking_passwords(api_info_refs.head)
    fetch, push = taking_passwords(api_fetch.upload_pack), taking_passwords(api_push.receive_pack)
    archive = taking_passwords(api_archive.archive)
    # What is asked for with the service git-receive-pack needs the right to write.
    yield Route("GET", f"{repo}/info/refs", refs, Action.READ, area)
    yield Route("POST", f"{repo}/git-upload-pack", fetch, Action.READ, area)
    yield Route("POST", f"{repo}/git-receive-pack", push, Action.WRITE, area)
    yield Route("GET", f"{repo}/HEAD", head, Action.READ, area)
    yield Route("GET", f"{repo}/archive/{{file*}}", archive, Action.READ, area)


def _lfs() -> Iterator[Route]:
    area = "git-lfs"
    lfs = "/{web}{repo}/info/lfs"
    batch, locks = taking_passwords(api_batch.batch), taking_passwords(api_locks.list_locks)
    lock, unlock = taking_passwords(api_locks.create_lock), taking_passwords(api_locks.unlock)
    verify = taking_passwords(api_locks.verify_locks)
    yield Route("POST", f"{lfs}/objects/batch", batch, Action.READ, area)
    yield Route("GET", f"{lfs}/locks", locks, Action.READ, area)
    yield Route("POST", f"{lfs}/locks", lock, Action.WRITE, area)
    yield Route("POST", f"{lfs}/locks/verify", verify, Action.WRITE, area)
    yield Route("POST", f"{lfs}/locks/{{lock}}/unlock", unlock, Action.WRITE, area)
    yield Route("GET", "/lfs/objects/{token}", api_download.get_object, Action.SIGNED, area)
    yield Route("PUT", "/lfs/objects/{token}", api_upload.put_object, Action.SIGNED, area)
    yield Route("PUT", "/lfs/parts/{token}/{number}", api_upload.put_part, Action.SIGNED, area)
    arrived = api_upload.arrived_parts
    yield Route("GET", "/lfs/parts/{token}", arrived, Action.SIGNED, area)
    yield Route("POST", "/lfs/parts/{token}", api_upload.complete, Action.SIGNED, area)
    yield Route("POST", "/lfs/verify/{token}", api_upload.verify, Action.SIGNED, area)
    files = "/api/{T}/{repo}/lfs-files"
    yield Route("GET", files, api_files.list_files, Action.WRITE, area)
    yield Route("POST", f"{files}/batch", api_files.delete_files, Action.ADMINISTER, area)
    # What it writes to is the repository that the body names; this one is only read.
    yield Route("POST", f"{files}/duplicate", api_copies.copy_files, Action.WRITE, area)


def _xet() -> Iterator[Route]:
    area = "xet"
    repo, cas = "/api/{T}/{repo}", "/cas/{epoch}"
    read, write = api_tokens.read_token, api_tokens.write_token
    yield Route("GET", f"{repo}/xet-read-token/{{rev}}", read, Action.READ, area)
    yield Route("GET", f"{repo}/xet-write-token/{{rev}}", write, Action.WRITE, area)
    yield Route("GET", f"{repo}/xet-write-token", write, Action.WRITE, area)
    xorb, prefixed = f"{cas}/v1/xorbs/{{prefix}}/{{hash}}", "{prefix}/{hash}"
    yield Route("POST", xorb, api_xorbs.post_xorb, Action.CAS, area)
    yield Route("HEAD", xorb, api_xorbs.xorb_size, Action.CAS, area)
    chunk = f"{cas}/v1/chunks/{prefixed}"
    yield Route("GET", chunk, api_chunks.find_chunk, Action.CAS, area)
    grants, done = f"{cas}/v1/xorb-grants/{prefixed}", f"{cas}/v1/xorb-commits/{prefixed}"
    yield Route("POST", grants, api_grants.grant_upload, Action.CAS, area)
    yield Route("POST", f"{done}/grant/{{grant}}", api_grants.commit_upload, Action.CAS, area)
    one, many = api_reconstruction.reconstruction, api_reconstruction.reconstructions
    yield Route("GET", f"{cas}/v2/reconstructions/{{hash}}", one, Action.CAS, area)
    v1 = api_reconstruction.reconstruction_v1
    yield Route("GET", f"{cas}/v1/reconstructions/{{hash}}", v1, Action.CAS, area)
    yield Route("GET", f"{cas}/v1/reconstructions", many, Action.CAS, area)
    yield Route("POST", f"{cas}/v1/reconstructions", many, Action.CAS, area)
    size = api_reconstruction.file_size
    yield Route("HEAD", f"{cas}/v1/files/{{hash}}", size, Action.CAS, area)
    yield Route("POST", f"{cas}/v1/shards", api_shards.post_shard, Action.CAS, area)
    with_progress = api_shards.post_shard_with_progress
    yield Route("POST", f"{cas}/v2/shards", with_progress, Action.CAS, area)
    yield Route("GET", f"{cas}/data/{{token}}", api_data.get_data, Action.SIGNED, area)


def _misc() -> Iterator[Route]:
    area = "misc"
    yield Route("GET", "/api/agent-harnesses", misc.agent_harnesses, Action.ANYONE, area)
    yield Route("GET", "/api/telemetry/{topic*}", misc.telemetry, Action.ANYONE, area)
    yield Route("POST", "/api/telemetry/{topic*}", misc.telemetry, Action.ANYONE, area)
    yield Route("POST", "/v1/telemetry", misc.telemetry, Action.ANYONE, area)
    yield Route("GET", "/api/tasks", misc.tasks, Action.ANYONE, area)


def _operations() -> Iterator[Route]:
    yield Route("GET", "/healthz", operations.healthz, Action.ANYONE, "operations")
    yield Route("GET", "/readyz", operations.readyz, Action.ANYONE, "operations")
    stored = cas_storage.storage_of_hub
    yield Route("GET", "/api/storage", stored, Action.ACT_AS_USER, "operations")
    yield Route("GET", "/metrics", operations.metrics, Action.OPERATE, "operations")


def build_router(routes: Iterable[Route] | None = None) -> Router[Route]:
    """Return the router of a table; ValueError where two routes claim one address."""
    router: Router[Route] = Router()
    for route in all_routes() if routes is None else routes:
        for pattern, fixed in _expanded(route.pattern):
            router.add(route.method, pattern, route, fixed)
    return router


def _expanded(pattern: str) -> Iterator[tuple[str, dict[str, str]]]:
    for kind in RepoType:
        if "{T}" in pattern:
            filled = pattern.replace("{T}", kind.plural)
        elif "{web}" in pattern:
            filled = pattern.replace("{web}", kind.web_prefix)
        else:
            yield from ((one, {}) for one in _with_ids(pattern))
            return
        yield from ((one, {"type": kind.value}) for one in _with_ids(filled))


def _with_ids(pattern: str) -> Iterator[str]:
    if "{repo}" not in pattern:
        yield pattern
        return
    yield pattern.replace("{repo}", "{ns}/{name}")
    yield pattern.replace("{repo}", "{name}")
