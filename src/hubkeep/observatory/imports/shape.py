# SPDX-License-Identifier: Apache-2.0
"""Shapes of files that become snapshots: known by their columns, mapped to the schema by SQL."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of file.

    `tables` has, for each table of the schema that the file tells of, a SELECT from the view
    `source` by the schema's column names; it leaves out what the file does not have. One of models
    may give `co2_raw`, what cards say of emissions, instead of their grams.
    """

    name: str
    what: str
    columns: frozenset[str]
    """Those that a file must have to be of this shape."""
    tables: Mapping[str, str]
    notes: tuple[str, ...] = ()


def author(of: str = "id") -> str:
    """Return SQL for the namespace of an id; null where it has none."""
    return f"CASE WHEN contains({of}, '/') THEN split_part({of}, '/', 1) END"


def gated(of: str = "gated") -> str:
    """Return SQL for who may read a repository, of the API's false, auto and manual."""
    text = f"lower({of})"
    return f"CASE {text} WHEN 'false' THEN 'no' WHEN 'true' THEN 'auto' ELSE {text} END"


def inferred_relation(tags: str, library: str, bases: str) -> str:
    """Return SQL for how a model is derived where no source says it.

    By its formats quantised, else from several bases a merge, else by its library an adapter.
    """
    return f"""CASE
    WHEN list_has_any({tags}, ['gguf', 'awq', 'gptq', 'bitsandbytes', 'exl2', '4-bit', '8-bit'])
      THEN 'quantized'
    WHEN {bases} > 1 OR list_has_any({tags}, ['merge', 'mergekit', 'lazymergekit']) THEN 'merge'
    WHEN {library} = 'peft' OR list_has_any({tags}, ['peft', 'lora']) THEN 'adapter'
    ELSE 'finetune' END"""
