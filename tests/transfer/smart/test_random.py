# SPDX-License-Identifier: Apache-2.0
"""Random histories made by git and by the API: the real git finds them sound, and all agree.

`python -m tests.transfer.smart` runs longer ones.
"""

import random
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.harness.hub import LiveHub
from tests.transfer.smart.medley import BRANCHES, TAGS, medley, served

seeds = st.integers(0, 255)


class Mixed(RuleBasedStateMachine):
    """Each rule is one operation; which branch and which files follows from a small seed."""

    hub: LiveHub
    folder: Path
    check_each: int
    counts: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(mkdtemp(dir=self.folder))
        self.mirror = folder / "mirror.git"
        self.it = self.stack.enter_context(medley(self.hub, folder))
        self.steps = 0

    def chance(self, seed: int) -> random.Random:
        self.steps += 1
        if self.steps % self.check_each == 0:
            self.it.check(self.mirror)
        return random.Random(seed * 1000 + self.steps)

    def some(self, chance: random.Random) -> str:
        return chance.choice(sorted(self.it.branches))

    @rule(seed=seeds)
    def commit(self, seed: int) -> None:
        chance = self.chance(seed)
        self.it.commit(self.some(chance), chance)

    @rule(seed=seeds)
    def push(self, seed: int) -> None:
        chance = self.chance(seed)
        branch = self.some(chance)
        self.it.push_branch(branch, self.it.follow_up(branch, chance))

    @rule(seed=seeds)
    def push_with_force(self, seed: int) -> None:
        chance = self.chance(seed)
        branch, other = self.some(chance), self.some(chance)
        parents = self.it.commits[self.it.branches[other]].parents
        onto = parents[0] if parents else self.it.branches[other]
        oid = self.it.build(self.it.change(self.it.commits[onto].files, chance)[0], (onto,))
        self.it.push_branch(branch, oid, "--force")

    @rule(seed=seeds)
    def push_too_late(self, seed: int) -> None:
        chance = self.chance(seed)
        self.it.is_stale(self.some(chance), chance)

    @rule(seed=seeds)
    def push_new_branch(self, seed: int) -> None:
        chance = self.chance(seed)
        new = [name for name in BRANCHES if name not in self.it.branches]
        if new:
            branch = chance.choice(new)
            self.it.push_branch(branch, self.it.follow_up(self.some(chance), chance))

    @rule(seed=seeds)
    def push_two_and_a_tag(self, seed: int) -> None:
        chance = self.chance(seed)
        one, two = self.some(chance), self.some(chance)
        made = {branch: self.it.follow_up(branch, chance) for branch in (one, two)}
        name = chance.choice(TAGS)
        refspecs = [f"{oid}:refs/heads/{branch}" for branch, oid in made.items()]
        self.it.push(*refspecs, f"+{made[one]}:refs/tags/{name}", options=("--atomic",))
        self.it.branches |= made
        self.it.tags[name] = (made[one], made[one])

    @precondition(lambda self: len(self.it.branches) > 1)
    @rule(seed=seeds)
    def delete_branch(self, seed: int) -> None:
        chance = self.chance(seed)
        branch = chance.choice(sorted(set(self.it.branches) - {"main"}))
        self.it.push(f":refs/heads/{branch}")
        del self.it.branches[branch]

    @rule(seed=seeds, depth=st.integers(0, 3))
    def push_tag(self, seed: int, depth: int) -> None:
        chance = self.chance(seed)
        self.it.tag(chance.choice(TAGS), self.some(chance), depth)

    @precondition(lambda self: self.it.tags)
    @rule(seed=seeds)
    def delete_tag(self, seed: int) -> None:
        name = self.chance(seed).choice(sorted(self.it.tags))
        self.it.push(f":refs/tags/{name}")
        del self.it.tags[name]

    @precondition(lambda self: len(self.it.branches) > 1)
    @rule(seed=seeds)
    def push_merge(self, seed: int) -> None:
        into, source = self.chance(seed).sample(sorted(self.it.branches), 2)
        self.it.merge_here(into, source)

    @precondition(lambda self: len(self.it.branches) > 1)
    @rule(seed=seeds)
    def merge(self, seed: int) -> None:
        into, source = self.chance(seed).sample(sorted(self.it.branches), 2)
        self.it.merge(into, source)

    @rule(seed=seeds)
    def revert(self, seed: int) -> None:
        self.it.revert(self.some(self.chance(seed)))

    @rule(seed=seeds)
    def squash(self, seed: int) -> None:
        self.it.squash(self.some(self.chance(seed)))

    @rule()
    def collect(self) -> None:
        self.steps += 1
        self.it.collect()

    @rule()
    def lose_cache(self) -> None:
        self.steps += 1
        self.it.lose_cache()

    def teardown(self) -> None:
        self.counts.append(self.steps)
        with self.stack:
            self.it.check(self.mirror)


def run_against(
    folder: Path, url: str, examples: int, steps: int, *, check_each: int, seed: int | None = None
) -> int:
    """Run random histories on a hub of their own, and look through it at the end; return the number
    of operations of the last one.
    """
    counts: list[int] = []
    with served(folder, url) as hub:
        of_this = {"hub": hub, "folder": folder, "check_each": check_each, "counts": counts}
        machine = type("Machine", (Mixed,), of_this)
        run_state_machine_as_test(
            machine if seed is None else hypothesis.seed(seed)(machine),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                # A failure is told with its steps; to look for fewer takes an hour.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
        hub.command("verify", "--no-files")
    return counts[-1]


def test_git_and_the_api_agree(tmp_path: Path, database_url: str) -> None:
    assert run_against(tmp_path, database_url, 2, 25, check_each=12) >= 10
