# SPDX-License-Identifier: Apache-2.0
"""Addresses of the contract that this hub does not have yet; each is answered 501.

Named one by one, so that a client is told "not implemented" and not "not found", and so that the
coverage table shows what is missing. Spelled as in `routes.py`.
"""

from collections.abc import Iterator

_BY_AREA = {
    "oauth": """
        POST /oauth/device
        POST /oauth/token
        GET /oauth/authorize
        GET /oauth/userinfo
        GET /.well-known/openid-configuration
        POST /api/credentials/revoke
    """,
    "xet": """
        GET /cas/{rest*}
        POST /cas/{rest*}
    """,
    "discussions": """
        GET /api/{T}/{repo}/discussions
        POST /api/{T}/{repo}/discussions
        GET /api/{T}/{repo}/discussions/{number}
        POST /api/{T}/{repo}/discussions/{number}/{verb}
        POST /api/{T}/{repo}/discussions/{number}/comment/{comment}/{verb}
        POST /uploads
    """,
    "collections": """
        GET /api/collections
        POST /api/collections
        GET /api/collections/{slug*}
        POST /api/collections/{slug*}
        PATCH /api/collections/{slug*}
        DELETE /api/collections/{slug*}
    """,
    "access requests": """
        GET /api/{T}/{repo}/user-access-request/{status}
        POST /api/{T}/{repo}/user-access-request/{verb}
        POST /{web}{repo}/ask-access
    """,
    "webhooks": """
        GET /api/settings/webhooks
        POST /api/settings/webhooks
        GET /api/settings/webhooks/{id}
        POST /api/settings/webhooks/{id}
        DELETE /api/settings/webhooks/{id}
        POST /api/settings/webhooks/{id}/{verb}
    """,
    "organisation administration": """
        PUT /api/organizations/{org}/members/{user}/role
        GET /api/organizations/{org}/resource-groups
        POST /api/organizations/{org}/resource-groups
        POST /api/organizations/{org}/resource-groups/{id}/{verb}
        POST /api/organizations/{org}/settings/tokens/revoke
    """,
    "spaces": """
        GET /api/spaces/{repo}/runtime
        POST /api/spaces/{repo}/hardware
        POST /api/spaces/{repo}/sleeptime
        POST /api/spaces/{repo}/pause
        POST /api/spaces/{repo}/restart
        POST /api/spaces/{repo}/dev-mode
        GET /api/spaces/{repo}/secrets
        POST /api/spaces/{repo}/secrets
        DELETE /api/spaces/{repo}/secrets
        GET /api/spaces/{repo}/variables
        POST /api/spaces/{repo}/variables
        DELETE /api/spaces/{repo}/variables
        PUT /api/spaces/{repo}/volumes
        DELETE /api/spaces/{repo}/volumes
        GET /api/spaces/{repo}/logs/{kind}
        GET /api/spaces/{repo}/events
        GET /api/spaces/{repo}/metrics
        GET /api/spaces/{repo}/replicas
        GET /api/spaces/hardware
        GET /api/spaces/zero-gpu/quota
    """,
    "jobs": """
        GET /api/jobs/{rest*}
        POST /api/jobs/{rest*}
        PUT /api/jobs/{rest*}
        GET /api/scheduled-jobs/{rest*}
        POST /api/scheduled-jobs/{rest*}
        PUT /api/scheduled-jobs/{rest*}
        DELETE /api/scheduled-jobs/{rest*}
    """,
    "buckets": """
        GET /api/buckets/{rest*}
        POST /api/buckets/{rest*}
        PUT /api/buckets/{rest*}
        DELETE /api/buckets/{rest*}
        GET /buckets/{ns}/{name}/resolve/{path*}
    """,
    "papers": """
        GET /api/papers/search
        GET /api/papers/{id}
        GET /api/daily_papers
    """,
    "dataset viewer": """
        GET /api/datasets/{ns}/{name}/parquet
        GET /api/datasets/{ns}/{name}/parquet/{path*}
    """,
    "evaluation": """
        GET /api/datasets/{ns}/{name}/leaderboard
    """,
    "misc": """
        GET /api/{T}/{repo}/treesize/{rev}
        GET /api/{T}/{repo}/treesize/{rev}/{path*}
        GET /.well-known/openapi.json
    """,
}


def later_routes() -> Iterator[tuple[str, str, str]]:
    """Yield method, pattern and area of each."""
    for area, lines in _BY_AREA.items():
        for line in lines.split("\n"):
            if line.strip():
                method, _, pattern = line.strip().partition(" ")
                yield method, pattern, area
