# SPDX-License-Identifier: Apache-2.0
"""Censuses of models and datasets with their tags as lists, as kept from the list API."""

from typing import Final

from hubkeep.observatory.imports.files_of import flags_of
from hubkeep.observatory.imports.languages import CODES
from hubkeep.observatory.imports.shape import Shape, author, gated, inferred_relation

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

# What was derived how is not told: it is inferred.
_LINEAGE: Final = f"""
SELECT child, parent, {inferred_relation("tags", "library", "bases")} AS relation
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
  lower(licenses[1]) AS license, disabled, {gated()} AS gated
FROM source
""",
        "labels": """
SELECT 'dataset' AS repo_type, id, kind, value FROM (
  SELECT id, CASE split_part(tag, ':', 1) WHEN 'arxiv' THEN 'paper' ELSE 'language' END AS kind,
    substr(tag, strpos(tag, ':') + 1) AS value
  FROM (SELECT id, unnest(list_distinct(list_filter(
    tags, lambda tag: regexp_matches(tag, '^(language|arxiv):')))) AS tag FROM source))
UNION ALL
SELECT 'dataset', id, 'license', unnest(list_distinct(licenses[2:])) FROM source
WHERE len(licenses) > 1
""",
    },
)

# Its has_model_index holds wherever there is a card, results or not.
_DETAILS: Final = {
    **flags_of("files"),
    "has_card": "has_card",
    "has_metrics": "coalesce(list_contains(card_keys, 'model-index'), false)",
}

DETAILS: Final = Shape(
    name="model details",
    what="one row for each model, with its files, and what its card says",
    columns=frozenset({"id", "files", "safetensors_total", "card_keys", "co2_raw", "tags"}),
    tables={
        "models": f"""
SELECT id, {author()} AS author, created_at, last_modified, downloads AS downloads_30d, likes,
  lower(license[1]) AS license, {gated()} AS gated, disabled, pipeline_tag AS task,
  library_name AS library, safetensors_total AS parameters,
  CASE WHEN safetensors_total IS NOT NULL THEN 'safetensors' END AS parameters_from, co2_raw,
  {", ".join(f"{sql} AS {name}" for name, sql in _DETAILS.items())}
FROM source
""",
        "lineage": f"""
SELECT child, parent, {inferred_relation("tags", "library", "bases")} AS relation
FROM (SELECT id AS child, unnest(list_distinct(base_model)) AS parent, tags,
  len(list_distinct(base_model)) AS bases, library_name AS library FROM source)
""",
        "labels": """
SELECT 'model' AS repo_type, id, 'language' AS kind, unnest(list_distinct(language)) AS value
FROM source
UNION ALL
SELECT 'model', id, 'license', unnest(list_distinct(license[2:])) FROM source
WHERE len(license) > 1
UNION ALL
SELECT 'model', id, CASE WHEN starts_with(tag, 'arxiv:') THEN 'paper' ELSE 'dataset' END,
  substr(tag, strpos(tag, ':') + 1)
FROM (SELECT id, unnest(list_distinct(list_filter(
  tags, lambda tag: regexp_matches(tag, '^(dataset|arxiv):')))) AS tag FROM source)
""",
    },
    notes=("Relations to base models are inferred: the source does not tell them.",),
)
