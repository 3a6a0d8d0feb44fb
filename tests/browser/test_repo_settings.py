# SPDX-License-Identifier: Apache-2.0
"""What scripts add to settings and likes, and pictures as a real browser sends them."""

from pathlib import Path

from PIL import Image

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.watch import Watch


def test_a_like_is_given_and_taken_back_without_loading_the_page(site: Site, open_page: OpenPage):
    repo = site.create("liked")
    page = open_page("bob")
    page.goto(f"/{repo}")
    page.evaluate("window.isStillHere = true")
    button, count = page.get_by_role("button", name="Like"), page.locator("[data-likes]")
    for pressed, likes in (("true", "1"), ("false", "0"), ("true", "1")):
        with page.expect_response(f"**/api/models/{repo}/like"):
            button.press("Enter")
        page.wait_for_selector(f".like[aria-pressed={pressed}]:not([disabled])")
        assert count.inner_text() == likes
        assert button.evaluate("it => it === document.activeElement")
    assert page.evaluate("window.isStillHere")
    page.reload()
    assert button.get_attribute("aria-pressed") == "true"
    count.click()
    assert page.get_by_role("main").get_by_role("link", name="bob").is_visible()


def test_a_like_works_without_scripts(site: Site, open_page: OpenPage):
    repo = site.create("liked-plainly")
    page = open_page("bob", java_script_enabled=False)
    page.goto(f"/{repo}/tree/main")
    page.get_by_role("button", name="Like").click()
    page.wait_for_selector(".like[aria-pressed=true]")
    assert page.url.endswith(f"/{repo}/tree/main")


def test_a_like_of_what_is_gone_says_so(site: Site, open_page: OpenPage, watch: Watch):
    repo = site.create("liked-too-late")
    page = open_page("bob")
    page.goto(f"/{repo}")
    site.api("DELETE", "/api/repos/delete", json={"name": "liked-too-late"})
    watch.expect("404: POST .*/api/models/", "404: POST .*/liked-too-late/like")
    page.get_by_role("button", name="Like").click()
    page.get_by_role("heading", name="Nothing is here").wait_for()


def test_a_repository_is_deleted_once_its_name_is_typed(site: Site, open_page: OpenPage):
    repo = site.create("to-go")
    page = open_page("alice", width=390, theme="dark")
    page.goto(f"/{repo}/settings")
    button = page.get_by_role("button", name="Delete this repository")
    assert button.is_disabled()
    field = page.get_by_label(f"Type {repo} to delete it")
    field.fill("to-go")
    assert button.is_disabled()
    field.fill(repo)
    field.press("Enter")
    page.get_by_text("The repository is deleted.").wait_for()
    assert page.url.endswith("/alice?deleted")


def test_a_picture_is_chosen_and_removed(site: Site, open_page: OpenPage, tmp_path: Path):
    Image.effect_noise((900, 1200), 90).convert("RGB").save(tmp_path / "me.png")
    page = open_page("root")
    page.goto("/settings/profile")
    page.get_by_label("Another picture").set_input_files(tmp_path / "me.png")
    page.get_by_role("button", name="Use this picture").click()
    page.get_by_text("Saved.").wait_for()
    picture = page.get_by_alt_text("The picture of now")
    assert picture.evaluate("it => it.complete && it.naturalWidth") == 256
    page.get_by_role("button", name="Remove it").click()
    page.wait_for_selector("button[form=no-picture]", state="detached")
    assert picture.evaluate("it => it.complete && it.naturalWidth") == 96


def test_a_picture_that_is_far_too_large_is_said_to_be(
    open_page: OpenPage, tmp_path: Path, watch: Watch
):
    (tmp_path / "camera.jpg").write_bytes(bytes(12_000_000))
    page = open_page("root")
    page.goto("/settings/profile")
    page.get_by_label("Another picture").set_input_files(tmp_path / "camera.jpg")
    watch.expect("422: POST .*/settings/picture")
    page.get_by_role("button", name="Use this picture").click()
    page.get_by_text("At most 5 MB.").wait_for()
