# SPDX-License-Identifier: Apache-2.0
"""The part of the table of addresses that people open in a browser; spelled as in `routes.py`."""

from collections.abc import Iterator

from hubkeep.identity.rules import Action
from hubkeep.route import Route
from hubkeep.web import (
    pages_account,
    pages_admin_invitations,
    pages_admin_jobs,
    pages_admin_organisations,
    pages_admin_overview,
    pages_admin_repositories,
    pages_admin_settings,
    pages_admin_storage,
    pages_admin_user,
    pages_admin_users,
    pages_blame,
    pages_blob,
    pages_card,
    pages_commit,
    pages_commits,
    pages_compare,
    pages_derivatives,
    pages_design,
    pages_edit,
    pages_edit_delete,
    pages_feeds,
    pages_home,
    pages_insights,
    pages_insights_badge,
    pages_insights_compare,
    pages_insights_console,
    pages_insights_figure,
    pages_insights_history,
    pages_insights_movers,
    pages_join,
    pages_like,
    pages_list,
    pages_login,
    pages_new,
    pages_organisation,
    pages_people,
    pages_picture,
    pages_preview,
    pages_profile,
    pages_refs,
    pages_repo_settings,
    pages_repo_settings_files,
    pages_revert,
    pages_sessions,
    pages_social,
    pages_static,
    pages_suggest,
    pages_tokens,
    pages_tree,
    pages_upload,
)
from hubkeep.web.entry import for_people


def page_routes() -> Iterator[Route]:
    """Return the addresses of all pages, in the order of the documentation."""
    yield from _pages()
    yield from _insights()
    yield from _changes_of_files()
    yield from _uploads()
    yield from _settings_of_repositories()
    yield from _pages_of_people()
    yield from _administration()
    yield Route("GET", "/{user}", pages_account.account_page, Action.LIST, "pages")


def _pages() -> Iterator[Route]:
    area = "pages"
    yield Route("GET", "/static/{file*}", pages_static.static, Action.ANYONE, area)
    yield Route("GET", "/", pages_home.home, Action.LIST, area)
    yield Route("GET", "/{T}", pages_list.list_page, Action.LIST, area)
    yield Route("GET", "/{T}/rss.xml", pages_feeds.new_repos, Action.ANYONE, area)
    yield Route("GET", "/users", pages_people.people, Action.LIST, area)
    yield Route("GET", "/{user}/activity/likes", pages_like.likes, Action.LIST, area)
    yield Route("GET", "/social", pages_social.of_hub, Action.ANYONE, area)
    yield Route("GET", "/social/{user}", pages_social.of_account, Action.LIST, area)
    yield Route("GET", "/social/{web}{ns}/{name}", pages_social.of_repo, Action.READ, area)
    yield Route("GET", "/design", pages_design.design, Action.ANYONE, area)
    yield Route("GET", "/search/suggest", pages_suggest.suggest, Action.LIST, area)
    feed = "/{web}{repo}/commits/{rev}/rss.xml"
    yield Route("GET", feed, pages_feeds.commits, Action.READ, area)
    yield Route("GET", "/{web}{ns}/{name}", pages_card.card, Action.READ, area)
    for path, handler in (
        ("/tree/{rev}", pages_tree.tree),
        ("/tree/{rev}/{path*}", pages_tree.tree),
        ("/blob/{rev}/{path*}", pages_blob.blob),
        ("/blame/{rev}/{path*}", pages_blame.blame_page),
        ("/preview/{rev}/{path*}", pages_preview.preview),
        ("/commits/{rev}", pages_commits.commits),
        ("/commits/{rev}/{path*}", pages_commits.commits),
        ("/commit/{rev}", pages_commit.commit),
        ("/compare", pages_compare.choose),
        ("/compare/{revs}", pages_compare.compare),
        ("/refs", pages_refs.refs),
        ("/derivatives", pages_derivatives.derivatives),
    ):
        yield Route("GET", f"/{{web}}{{ns}}/{{name}}{path}", handler, Action.READ, area)


def _insights() -> Iterator[Route]:
    area, seen = "pages", Action.LIST
    for path, handler in (
        ("", pages_insights.overview),
        ("/{figure}", pages_insights_figure.figure_page),
        ("/compare", pages_insights_compare.compare),
        ("/movers", pages_insights_movers.movers),
        ("/badge/{kind}/{subject*}", pages_insights_badge.badge_of),
        ("/{kind}/{subject*}", pages_insights_history.history),
    ):
        yield Route("GET", f"/insights{path}", handler, seen, area)
    console, mine = "/insights/console", Action.ACT_AS_USER
    yield Route("GET", console, for_people(pages_insights_console.console_page), mine, area)
    yield Route("POST", console, for_people(pages_insights_console.run), mine, area)


def _changes_of_files() -> Iterator[Route]:
    area, repo = "pages", "/{web}{ns}/{name}"
    for path, form, handler in (
        ("/edit/{rev}/{path*}", pages_edit.edit_form, pages_edit.edit),
        ("/new/{rev}", pages_edit.new_form, pages_edit.new),
        ("/new/{rev}/{path*}", pages_edit.new_form, pages_edit.new),
        ("/delete/{rev}/{path*}", pages_edit_delete.delete_form, pages_edit_delete.delete),
        ("/revert/{rev}", pages_revert.revert_form, pages_revert.revert),
    ):
        yield Route("GET", f"{repo}{path}", form, Action.WRITE, area)
        yield Route("POST", f"{repo}{path}", handler, Action.WRITE, area)


def _uploads() -> Iterator[Route]:
    area, page = "pages", "/{web}{ns}/{name}/upload/{rev}"
    yield Route("GET", page, pages_upload.upload, Action.WRITE, area)
    yield Route("GET", f"{page}/{{path*}}", pages_upload.upload, Action.WRITE, area)


def _settings_of_repositories() -> Iterator[Route]:
    area, repo = "pages", "/{web}{ns}/{name}"
    yield Route("GET", f"{repo}/likers", pages_like.likers, Action.READ, area)
    yield Route("POST", f"{repo}/like", pages_like.like, Action.LIKE, area)
    yield Route("POST", f"{repo}/unlike", pages_like.unlike, Action.LIKE, area)
    general, stored = pages_repo_settings, pages_repo_settings_files
    for method, path, handler in (
        ("GET", "", general.settings_page),
        ("POST", "/name", general.rename_repo),
        ("POST", "/visibility", general.change_visibility),
        ("POST", "/delete", general.delete),
        ("GET", "/storage", stored.storage_page),
        ("POST", "/storage/delete", stored.forget),
    ):
        yield Route(method, f"{repo}/settings{path}", handler, Action.ADMINISTER, area)


def _pages_of_people() -> Iterator[Route]:
    area, mine = "pages", Action.ACT_AS_USER
    yield Route("GET", "/login", pages_login.login_page, Action.ANYONE, area)
    yield Route("POST", "/login", pages_login.login, Action.ANYONE, area)
    yield Route("POST", "/logout", pages_login.logout, Action.ANYONE, area)
    yield Route("GET", "/join", pages_join.join_page, Action.ANYONE, area)
    yield Route("POST", "/join", pages_join.join, Action.ANYONE, area)
    yield Route("GET", "/settings", pages_profile.settings, Action.ANYONE, area)
    for method, path, handler in (
        ("GET", "/profile", pages_profile.profile_page),
        ("POST", "/profile", pages_profile.change_profile),
        ("POST", "/picture", pages_picture.change_own),
        ("POST", "/picture/remove", pages_picture.remove_own),
        ("GET", "/password", pages_profile.password_page),
        ("POST", "/password", pages_profile.change_password_of),
        ("GET", "/sessions", pages_sessions.sessions_page),
        ("POST", "/sessions/end", pages_sessions.end),
        ("GET", "/tokens", pages_tokens.tokens_page),
        ("POST", "/tokens", pages_tokens.make_token),
        ("POST", "/tokens/revoke", pages_tokens.revoke),
    ):
        yield Route(method, f"/settings{path}", for_people(handler), mine, area)
    org, new_org = "/organizations/{org}", "/organizations/new"
    orgs = pages_organisation
    for method, path, handler in (
        ("GET", "/new", pages_new.new_page),
        ("POST", "/new", pages_new.new),
        ("GET", new_org, orgs.new_page),
        ("POST", new_org, orgs.new),
        ("GET", f"{org}/settings", orgs.settings_page),
        ("POST", f"{org}/settings", orgs.change_settings),
        ("POST", f"{org}/settings/members", orgs.change_member),
        ("POST", f"{org}/settings/picture", pages_picture.change_of_organisation),
        ("POST", f"{org}/settings/picture/remove", pages_picture.remove_of_organisation),
        ("POST", f"{org}/leave", orgs.leave),
    ):
        yield Route(method, path, for_people(handler), mine, area)


def _administration() -> Iterator[Route]:
    """For everybody but administrators who are signed in here, nothing is at these addresses."""
    for method, path, handler in (
        ("GET", "", pages_admin_overview.overview),
        ("GET", "/users", pages_admin_users.users),
        ("GET", "/users/new", pages_admin_users.new_user_page),
        ("POST", "/users/new", pages_admin_users.new_user),
        ("GET", "/users/{user}", pages_admin_user.user_page),
        ("POST", "/users/{user}", pages_admin_user.change_user),
        ("GET", "/organisations", pages_admin_organisations.organisations),
        ("GET", "/organisations/new", pages_admin_organisations.new_organisation_page),
        ("POST", "/organisations/new", pages_admin_organisations.new_organisation),
        ("GET", "/organisations/{org}", pages_admin_organisations.organisation_page),
        ("POST", "/organisations/{org}", pages_admin_organisations.change_organisation),
        ("GET", "/repositories", pages_admin_repositories.repositories),
        ("GET", "/storage", pages_admin_storage.storage),
        ("GET", "/jobs", pages_admin_jobs.jobs),
        ("POST", "/jobs", pages_admin_jobs.change_job),
        ("GET", "/invitations", pages_admin_invitations.invitations),
        ("POST", "/invitations", pages_admin_invitations.invite),
        ("POST", "/invitations/revoke", pages_admin_invitations.revoke),
        ("GET", "/settings", pages_admin_settings.settings),
    ):
        yield Route(method, f"/admin{path}", handler, Action.ADMINISTER_HUB, "pages")
