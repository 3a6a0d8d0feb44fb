# SPDX-License-Identifier: Apache-2.0
"""Censuses of models and datasets with their tags as lists, as kept from the list API."""

from typing import Final

from hubkeep.observatory.imports.languages import CODES
from hubkeep.observatory.imports.shape import Shape, author

_LANGUAGES: Final = ", ".join(f"'{code}'" for code in sorted(CODES))

_MODELS: Final = f"""
SELECT id, {author()} AS author, created_at, downloads AS downloads_30d, likes,
  lower(licenses[1]) AS license, pipeline_tag AS task, library_name AS library,
  list_contains(tags, 'safetensors') AS has_safetensors,
  list_has_any(tags, ['pytorch', 'pickle', 'joblib', 'sklearn']) AS has_pickle,
  list_contains(tags, 'gguf') AS has_gguf,
  list_contains(tags, 'model-index') AS has_metrics
FROM source
"""

# Who was derived how, where the tag does not say: from several bases a merge, else by its formats.
_LINEAGE: Final = """
SELECT child, parent, CASE
    WHEN list_has_any(tags, ['gguf', 'awq', 'gptq', 'bitsandbytes', 'exl2', '4-bit', '8-bit'])
      THEN 'quantized'
    WHEN bases > 1 OR list_has_any(tags, ['merge', 'mergekit', 'lazymergekit']) THEN 'merge'
    WHEN library = 'peft' OR list_has_any(tags, ['peft', 'lora']) THEN 'adapter'
    ELSE 'finetune' END AS relation
FROM (SELECT id AS child, unnest(list_distinct(base_models)) AS parent, tags,
  len(list_distinct(base_models)) AS bases, library_name AS library FROM source)
"""

_LABELS: Final = f"""
SELECT 'model' AS repo_type, id, 'language' AS kind, value
FROM (SELECT id, unnest(list_distinct(tags)) AS value FROM source) WHERE value IN ({_LANGUAGES})
UNION ALL
SELECT 'model', id, 'dataset', unnest(list_distinct(datasets)) FROM source
UNION ALL
SELECT 'model', id, 'paper', unnest(list_distinct(arxiv)) FROM source
UNION ALL
SELECT 'model', id, 'license', unnest(list_distinct(licenses[2:])) FROM source
WHERE len(licenses) > 1
"""

MODELS: Final = Shape(
    name="models census",
    what="one row for each model, with tags, licences, base models, datasets and papers as lists",
    columns=frozenset(
        {"id", "downloads", "likes", "pipeline_tag", "licenses", "base_models", "arxiv", "tags"}
    ),
    tables={"models": _MODELS, "lineage": _LINEAGE, "labels": _LABELS},
    notes=(
        "What each model's weights are is known from its tags alone.",
        "Relations to base models are inferred: the source does not tell them.",
    ),
)

DATASETS: Final = Shape(
    name="datasets census",
    what="one row for each dataset, with tags and licences as lists",
    columns=frozenset({"id", "downloads", "gated", "description_len", "licenses", "tags"}),
    tables={
        "datasets": f"""
SELECT id, {author()} AS author, created_at, last_modified, downloads AS downloads_30d, likes,
  lower(licenses[1]) AS license, disabled,
  CASE lower(CAST(gated AS VARCHAR)) WHEN 'false' THEN 'no' WHEN 'true' THEN 'auto'
    ELSE lower(CAST(gated AS VARCHAR)) END AS gated
FROM source
""",
    },
)
