# SPDX-License-Identifier: Apache-2.0
"""Roots and cycles of lineage agree with plain walks, whatever descends from what."""

import random

import pytest

from hubkeep.observatory.families import NOBODY, UNKNOWN_DEPTH, cycles, families


def walked(bases: list[int], start: int) -> tuple[int, int]:
    """The root of a model and its generation, by walking up until something comes again."""
    path = [start]
    while (base := bases[path[-1]]) != NOBODY:
        if base in path:
            return min(path[path.index(base) :]), UNKNOWN_DEPTH
        path.append(base)
    return path[-1], len(path) - 1


@pytest.mark.parametrize("seed", range(20))
def test_roots_are_those_of_a_walk(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randint(1, 60)
    bases = [draw.choice([NOBODY, draw.randrange(count)]) for _ in range(count)]
    bases = [NOBODY if base == at else base for at, base in enumerate(bases)]
    found = families(bases)
    expected = [walked(bases, at) for at in range(count)]
    assert list(zip(found.roots, found.depths, strict=True)) == expected


def test_a_chain_may_be_longer_than_anything_recurses() -> None:
    found = families([NOBODY, *range(50_000)])
    assert (found.roots[-1], found.depths[-1]) == (0, 50_000)
    assert families([]).roots == []


@pytest.mark.parametrize("seed", range(20))
def test_cycles_are_models_that_reach_each_other(seed: int) -> None:
    draw = random.Random(seed)
    names = [f"m{at}" for at in range(draw.randint(1, 25))]
    bases = {name: draw.sample(names, draw.randint(0, min(2, len(names)))) for name in names}
    reach = {name: reached(bases, name) for name in names}
    together = {
        tuple(sorted({name} | {one for one in reach[name] if name in reach[one]}))
        for name in names
        if name in reach[name]
    }
    assert cycles(bases) == sorted(list(one) for one in together if len(one) > 1)


def reached(bases: dict[str, list[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(bases[start])
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead += bases[name]
    return found


def test_bases_that_nobody_knows_and_long_rings() -> None:
    assert cycles({"a": ["gone"], "b": ["a"]}) == []
    ring = {f"m{at:05}": [f"m{(at + 1) % 5000:05}"] for at in range(5000)}
    assert cycles(ring) == [sorted(ring)]
