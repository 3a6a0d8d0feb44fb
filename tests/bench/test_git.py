# SPDX-License-Identifier: Apache-2.0
"""What the benchmark of git uses: a peer that real git takes for a server, repositories and bombs
that are as said, and counts that leave nothing out.
"""

import os
import subprocess
import sys
from pathlib import Path

from bench.git_hostile import delta_bomb
from bench.git_native import BRANCH, Git, commit, history, many
from bench.git_sides import Turn, in_turns, peers
from bench.git_spent import memory_of, with_ended

BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_the_peer_is_pushed_to_and_cloned_from(tmp_path: Path) -> None:
    git, source = Git(tmp_path), tmp_path / "source.git"
    git.make(source, history(20, 30))
    with peers(tmp_path / "peers", tmp_path) as sides:
        for side in sides:
            side.fill("files", source)
        # More than a MB: git sends it in pieces, without saying how long it is.
        git.make(source, [commit(30, [("noise", os.urandom(3 << 20))], resumes=True)])
        tip = git.run("rev-parse", BRANCH, cwd=source)
        for number, side in enumerate(sides):
            side.git.push(source, side.url_of("files"))
            clone = tmp_path / f"clone-{number}"
            git.clone(side.url_of("files"), clone, "--bare")
            assert git.run("rev-parse", BRANCH, cwd=clone) == tip


def test_histories_are_as_said(tmp_path: Path) -> None:
    git, folder = Git(tmp_path), tmp_path / "source.git"
    git.make(folder, history(20, 30))
    assert git.run("rev-list", "--count", BRANCH, cwd=folder).strip() == "30"
    assert len(git.run("ls-tree", "-r", "--name-only", BRANCH, cwd=folder).splitlines()) == 20
    assert git.run("rev-list", "--count", BRANCH, "--", "part-00.md", cwd=folder).strip() == "1"
    changed = git.run("log", "--format=", "--name-only", f"{BRANCH}~29..{BRANCH}", cwd=folder)
    assert len(changed.splitlines()) == 29
    git.make(tmp_path / "many.git", [many(250, "file")])
    listed = git.run("ls-tree", "-r", BRANCH, cwd=tmp_path / "many.git").splitlines()
    assert len({line.split()[2] for line in listed}) == len(listed) == 250


def test_the_bomb_is_small_and_what_it_unpacks_to_is_not(tmp_path: Path) -> None:
    assert len(delta_bomb()) <= 209
    git = Git(tmp_path)
    git.run("init", "-q", "--bare", str(tmp_path / "bare"))
    git.run("index-pack", "--stdin", cwd=tmp_path / "bare", given=delta_bomb(times=3))
    sizes = git.run("cat-file", "--batch-all-objects", "--batch-check", cwd=tmp_path / "bare")
    assert sorted(int(line.split()[2]) for line in sizes.splitlines()) == [4096, 1 << 20, 3 << 20]


def test_work_of_programs_that_have_ended_is_counted() -> None:
    before = with_ended(os.getpid())
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert with_ended(os.getpid()) - before >= 0.25


def test_memory_of_programs_that_run_is_counted() -> None:
    waits = "import sys; held = bytearray(b'1') * (64 << 20); print(flush=True); sys.stdin.read()"
    before = memory_of(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        grown = memory_of(os.getpid()).own - before.own
        process.communicate()
    assert 60 < grown < 120


def test_sides_take_turns_to_be_first_and_a_warm_round_is_left_out() -> None:
    seen: list[tuple[str, int]] = []
    turns = {
        name: Turn(os.getpid(), lambda number, name=name: seen.append((name, number)))
        for name in ("a", "b")
    }
    taken = in_turns(2, turns)
    assert seen == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert {len(spent.seconds) for spent in taken.values()} == {2}
