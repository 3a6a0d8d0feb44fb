# SPDX-License-Identifier: Apache-2.0
"""Files and folders, small and large, dragged into a page or chosen by keys."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.uploads import PART, UploadPage, last_commit, made, sha256, stored
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page


def git_blob(content: bytes) -> str:
    """The name that git gives a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def test_a_file_of_200_mb_is_dragged_in(site: Site, open_page: OpenPage, tmp_path: Path):
    large = made(tmp_path / "model.safetensors", 200_000_000)
    repo = site.create("upload-200mb")
    page = UploadPage(open_page("alice"), repo)
    page.drop(large)
    assert page.part("start").inner_text() == "Upload 1 file"
    page.start()
    assert "1 file uploaded" in page.finish()

    assert stored(site, repo)["model.safetensors"] == (200_000_000, sha256(large))
    assert last_commit(site, repo)["title"] == "Upload model.safetensors"
    # In parts of 64 MiB, each of them once.
    assert sorted(page.sent) == [200_000_000 - 2 * PART, PART, PART]


def test_files_and_folders_become_one_commit_in_a_private_repository(
    site: Site, open_page: OpenPage, tmp_path: Path
):
    repo = site.create("upload-folder", private=True)
    site.commit(repo, {"in/README.md": "old\n", "in/kept.txt": "kept\n"})
    (tmp_path / "README.md").write_text("new\n")
    folder = tmp_path / "data"
    weights = made(folder / "deep" / "weights.bin", 300_000)
    (folder / "ünï cödé.json").write_text("{}")
    (folder / "empty.txt").touch()
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]")

    page = UploadPage(open_page("alice"), repo, folder="in")
    page.drop(tmp_path / "README.md", folder)
    page.wait_for("in/README.md", "known")
    assert "hidden files of the system" in page.part("omitted").inner_text()
    assert "git\u2019s own folder" in page.part("omitted").inner_text()
    assert "replaces" in page.row("in/README.md").inner_text()
    page.part("summary").fill("All of the data")
    page.part("description").fill("And why.")
    page.start()
    page.finish()

    there = stored(site, repo)
    del there[".gitattributes"]
    assert there == {
        "in/README.md": (4, git_blob(b"new\n")),
        "in/kept.txt": (5, git_blob(b"kept\n")),
        "in/data/deep/weights.bin": (300_000, sha256(weights)),
        "in/data/ünï cödé.json": (2, git_blob(b"{}")),
        "in/data/empty.txt": (0, git_blob(b"")),
    }
    commit = last_commit(site, repo)
    assert (commit["title"], commit["message"]) == ("All of the data", "And why.")
    assert page.sent == [300_000]


def test_what_the_hub_has_is_not_sent(site: Site, open_page: OpenPage, tmp_path: Path):
    weights = made(tmp_path / "weights.bin", 300_000)
    first = UploadPage(open_page("alice"), site.create("upload-there"))
    first.drop(weights)
    first.start()
    first.finish()

    # Under the same name, under another one, and in another repository.
    other = weights.with_name("other.bin")
    other.write_bytes(weights.read_bytes())
    again = UploadPage(open_page("alice"), first.repo)
    again.drop(weights, other)
    again.start()
    again.finish()
    elsewhere = UploadPage(open_page("alice"), site.create("upload-elsewhere"))
    elsewhere.drop(weights)
    elsewhere.start()
    elsewhere.finish()

    size_and_hash = (300_000, sha256(weights))
    assert (first.sent, again.sent, elsewhere.sent) == ([300_000], [], [])
    assert stored(site, first.repo)["other.bin"] == size_and_hash
    assert stored(site, elsewhere.repo)["weights.bin"] == size_and_hash


def test_names_that_cannot_be_are_said_before_anything_is_sent(
    site: Site, open_page: OpenPage, tmp_path: Path
):
    repo = site.create("upload-names")
    site.commit(repo, {"taken/inside.txt": "1", "file": "2", ".gitignore": "*.log\n"})
    folder = tmp_path / "file"
    for name in ("back\\slash.txt", "taken", "fine\u202etxt.exe", "noise.log"):
        (tmp_path / name).write_text("3")
    folder.mkdir()
    (folder / "below.txt").write_text("4")

    page = UploadPage(open_page("alice"), repo)
    page.drop(*sorted(tmp_path.iterdir()))
    page.wait_for("taken", "bad")
    assert "has a control character or a backslash" in page.row("back\\slash.txt").inner_text()
    assert "A folder has this name" in page.row("taken").inner_text()
    assert "file is a file, and not a folder" in page.row("file/below.txt").inner_text()
    assert "fineU+202Etxt.exe" in page.part("files").inner_text()
    assert "named by .gitignore" in page.part("omitted").inner_text()
    assert page.part("start").is_disabled()
    assert page.part("bad-text").inner_text() == "3 files cannot be uploaded."

    page.part("drop-bad").click()
    page.start()
    page.finish()
    assert stored(site, repo).keys() >= {"fine\u202etxt.exe", "taken/inside.txt", "file"}
    assert "noise.log" not in stored(site, repo)


def test_all_of_it_by_keys(site: Site, open_page: OpenPage, tmp_path: Path):
    small = tmp_path / "notes.txt"
    small.write_text("by keys\n")
    repo = site.create("upload-keys")
    page = UploadPage(open_page("alice"), repo)
    window = page.page

    tab_to(window, "Choose files")
    with window.expect_file_chooser() as chooser:
        window.keyboard.press("Space")
    chooser.value.set_files(small)
    page.row("notes.txt").wait_for()
    tab_to(window, "Commit message")
    window.keyboard.type("Notes")
    tab_to(window, "Upload 1 file")
    window.keyboard.press("Enter")
    page.finish()

    assert window.locator("[role=status]").inner_text() == "1 file uploaded"
    assert window.evaluate("document.activeElement.textContent") == "1 file uploaded"
    assert last_commit(site, repo)["title"] == "Notes"


def tab_to(window: "Page", name: str) -> None:
    """Press the key until what has this name has the focus."""
    label = "e => (e.labels?.[0] ?? e).textContent.trim()"
    for _ in range(40):
        window.keyboard.press("Tab")
        if window.evaluate(f"({label})(document.activeElement)") == name:
            return
    raise AssertionError(f"no key leads to {name!r}")


def test_what_somebody_changed_meanwhile_is_not_replaced_unasked(
    site: Site, open_page: OpenPage, watch: Watch, tmp_path: Path
):
    repo = site.create("upload-meanwhile")
    site.commit(repo, {"a.txt": "1", "b.txt": "1"})
    (tmp_path / "a.txt").write_text("mine")
    page = UploadPage(open_page("alice"), repo)
    page.drop(tmp_path / "a.txt")
    page.wait_for("a.txt", "known")
    watch.expect("412: POST .*/commit/main$")

    # Another file is no hindrance; the same one is.
    site.commit(repo, {"b.txt": "2"})
    site.commit(repo, {"a.txt": "theirs"})
    page.start()
    page.part("alert").wait_for()
    assert "Somebody changed a.txt meanwhile" in page.part("alert").inner_text()
    assert stored(site, repo)["a.txt"] == (6, git_blob(b"theirs"))
    site.commit(repo, {"b.txt": "3"})
    page.start()
    page.finish()
    assert stored(site, repo)["a.txt"] == (4, git_blob(b"mine"))
    assert stored(site, repo)["b.txt"] == (1, git_blob(b"3"))
