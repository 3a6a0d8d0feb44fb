# SPDX-License-Identifier: Apache-2.0
"""The documentation tells the truth: what is generated is fresh, what is named exists."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import msgspec
import pytest

from hubkeep.cli import main
from hubkeep.cli.serve import serve
from hubkeep.config import PREFIX, Config
from tests.docs.markdown import ROOT, Page, pages
from tools.docs import DOCS, PAGES

_SETTING = re.compile(r"^\| \[`(\w+)`\]\(#\w+\) \|\s*(.*?)\s*\| (.*?) \|$", re.MULTILINE)
_TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str):
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "run 'make docs'"


def test_every_setting_is_documented_with_its_default():
    documented = {
        setting: default.strip("`") for setting, _, default in _SETTING.findall(_settings().text)
    }
    assert documented == {
        PREFIX + field.name.upper(): _default(field) for field in msgspec.structs.fields(Config)
    }


def test_every_setting_has_a_section():
    names = {field.name for field in msgspec.structs.fields(Config)}
    assert {(PREFIX + name).lower() for name in names} <= _settings().anchors


def test_the_options_of_settings_are_those_of_serve():
    documented = {
        setting: option.strip("`")
        for setting, option, _ in _SETTING.findall(_settings().text)
        if option
    }
    fields = {field.name for field in msgspec.structs.fields(Config)}
    assert documented == {
        PREFIX + param.name.upper(): param.opts[0] for param in serve.params if param.name in fields
    }


@every_page
def test_links_lead_somewhere(page: Page):
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = (ROOT / page.name).parent / path if path else ROOT / page.name
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            name = target.resolve().relative_to(ROOT).as_posix()
            assert anchor in Page(name).anchors, f"{page.name}: {link}"


@every_page
def test_make_targets_exist(page: Page):
    known = set(_TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    for words in _command_lines(page):
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= known, f"{page.name}: {words}"


@every_page
def test_commands_exist_with_their_options(page: Page):
    for words in _command_lines(page):
        if words[0] != "hubkeep":
            continue
        command: click.Command | None = main
        context = click.Context(main)
        while isinstance(command, click.Group):
            words.pop(0)
            assert words, f"{page.name}: a command is missing"
            if words[0].startswith("-"):
                break
            command = command.get_command(context, words[0])
        assert command is not None, f"{page.name}: {words}"
        # Parsing asks for no hub: it ends before the command runs.
        command.make_context("hubkeep", words[1:])


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="no nginx")
def test_nginx_understands_its_block(tmp_path: Path):
    (site,) = Page("docs/deployment.md").blocks("nginx")
    site = re.sub(r"^\s+ssl_certificate.*\n", "", site, flags=re.MULTILINE)
    site = site.replace("listen 443 ssl", "listen 127.0.0.1:8443")
    temporary = "".join(
        f"{kind}_temp_path {tmp_path / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"pid {tmp_path}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{site}\n}}\n"
    )
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert nginx is not None
    checked = subprocess.run(
        [nginx, "-t", "-q", "-c", str(config)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def _settings() -> Page:
    return Page("docs/configuration.md")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "none: it must be given"
    value = field.default
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value not in ("", ()) else "empty"


def _command_lines(page: Page) -> list[list[str]]:
    """The commands in the page's blocks of shell, without variables and redirections."""
    found = []
    for block in page.blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            inner = re.sub(r".*\$\((.*)\)", r"\1", line)
            words = shlex.split(inner.partition(" < ")[0], comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words.pop(0)
            if words:
                found.append(words)
    return found
