# SPDX-License-Identifier: Apache-2.0
"""Tables that researchers have published: smaller censuses, and what came and went between some."""

from typing import Final

from hubkeep.observatory.imports.shape import Shape, author

_HUGGINGFACE_R: Final = Shape(
    name="models with downloads",
    what="one row for each model, with its downloads and task",
    columns=frozenset({"model", "downloads", "task"}),
    tables={
        "models": f"""
SELECT model AS id, {author("model")} AS author, downloads AS downloads_30d, task FROM source
"""
    },
)

# Its author of an id without a namespace is the hub itself, which is no namespace of these models.
_LIANG: Final = Shape(
    name="models with cards",
    what="one row for each model: when it was made, its downloads, whether it has a card",
    columns=frozenset({"id", "created_at", "downloads", "has_modelcard", "task_category"}),
    tables={
        "models": f"""
SELECT id, {author()} AS author, created_at, downloads AS downloads_30d,
  has_modelcard AS has_card, task_category AS task
FROM source
"""
    },
    notes=("created_at is the day of the first commit, also of models from before March 2022.",),
)

_CASTANO: Final = Shape(
    name="models with emissions",
    what="one row for each model that reports emissions, in grams, with its size and downloads",
    columns=frozenset({"modelId", "co2_eq_emissions", "co2_reported", "size", "created_at"}),
    tables={
        "models": """
SELECT modelId AS id, created_at, downloads AS downloads_30d, likes, size,
  CASE WHEN co2_reported THEN co2_eq_emissions END AS co2_grams,
  CASE WHEN co2_reported THEN CAST(co2_eq_emissions AS VARCHAR) END AS co2_written,
  NOT regexp_matches(performance_metrics, '^\\s*\\{?[^0-9]*\\}?\\s*$') AS has_metrics
FROM source
""",
        "labels": """
SELECT 'model' AS repo_type, modelId AS id, 'dataset' AS kind,
  unnest(list_distinct(TRY_CAST(datasets AS VARCHAR[]))) AS value
FROM source
""",
    },
    notes=(
        "Ids have no namespace: models of the same name in several count as one, the most used.",
        "Only models that report emissions are here: no rate of reporting follows from it.",
    ),
)

_TRENDING: Final = Shape(
    name="trending models",
    what="the models that trend most, with their scores",
    columns=frozenset({"model_name", "trendingScore", "likes", "downloads", "createdAt"}),
    tables={
        "models": f"""
SELECT model_name AS id, {author("model_name")} AS author, createdAt AS created_at,
  downloads AS downloads_30d, likes, trendingScore AS trending, category AS task
FROM source
"""
    },
    notes=("Only the models that trend most are here: it is no census.",),
)

_LEADERBOARD: Final = Shape(
    name="leaderboard of language models",
    what="one row for each submission, with parameters, licence and base model",
    columns=frozenset({"id", "params_b", "license", "upload_date", "submission_date"}),
    tables={
        "models": f"""
SELECT id, {author()} AS author, upload_date AS created_at, likes, lower(license) AS license,
  'text-generation' AS task,
  CASE WHEN params_b > 0 THEN CAST(round(params_b * 1e9) AS BIGINT) END AS parameters,
  CASE WHEN params_b > 0 THEN 'declared' END AS parameters_from
FROM source
""",
        "lineage": """
SELECT id AS child, regexp_replace(base_model, ' \\(Merge\\)$', '') AS parent,
  CASE WHEN lower(CAST(merged AS VARCHAR)) = 'true' OR ends_with(base_model, ' (Merge)')
    THEN 'merge' END AS relation
FROM source WHERE base_model NOT IN ('Removed', '', id)
""",
    },
    notes=(
        "Only models that somebody has submitted are here: it is no census.",
        "The emissions of the leaderboard are those of evaluations, and are left out.",
    ),
)

_FLOW: Final = Shape(
    name="models added and deleted",
    what="one row for each model that came or went between two weekly looks",
    columns=frozenset({"id", "event", "week_end", "relation", "base_model"}),
    tables={
        "events": """
SELECT id, event, week_end AS day, relation, nullif(split_part(base_model, ', ', 1), '') AS parent
FROM source
"""
    },
    notes=("Of several base models of an event the first is kept.",),
)

_EDGES: Final = Shape(
    name="lineage edges",
    what="one row for each model that is derived from another, and how",
    columns=frozenset({"source", "target", "edge"}),
    tables={
        "lineage": """
SELECT source.target AS child, source.source AS parent,
  CASE edge WHEN 'finetuned' THEN 'finetune' WHEN 'merged' THEN 'merge' ELSE edge END AS relation
FROM source
"""
    },
)

SHAPES: Final[tuple[Shape, ...]] = (
    _LIANG,
    _CASTANO,
    _TRENDING,
    _LEADERBOARD,
    _FLOW,
    _EDGES,
    _HUGGINGFACE_R,
)
