# SPDX-License-Identifier: Apache-2.0
"""What a repository names, by its tags or else by its card: base models, languages, data, papers.

The API writes all of it as tags: `base_model:finetune:a/b`, `dataset:a/b`, `arxiv:2307.09288`,
`license:mit`, and languages bare for models and as `language:en` for datasets.
"""

from typing import Final

from hubkeep.observatory.imports.languages import CODES
from hubkeep.observatory.imports.values import Values

_LANGUAGES: Final = ", ".join(f"'{code}'" for code in sorted(CODES))
_RELATION: Final = "^(finetune|adapter|quantized|merge):(.+)$"


def card_list(values: Values, key: str) -> str:
    """Return SQL for what a card says under a key, as a list, where it may be one value alone."""
    said = f"json_extract({values.json('cardData')}, '$.{key}')"
    return (
        f"CASE json_type({said}) WHEN 'ARRAY' THEN TRY_CAST({said} AS VARCHAR[]) "
        f"WHEN 'VARCHAR' THEN [{said} ->> '$'] END"
    )


def lineage(values: Values) -> str:
    """Return the SELECT of base models; empty where the file names none."""
    name = values.text("id")
    if values.has("tags"):
        # The same base model stands there twice, with and without its relation.
        return f"""
SELECT child, parent, max(relation) AS relation FROM (
  SELECT child, coalesce(nullif(regexp_extract(said, '{_RELATION}', 2), ''), said) AS parent,
    nullif(regexp_extract(said, '{_RELATION}', 1), '') AS relation
  FROM (SELECT {name} AS child, substr(unnest(list_filter({values.strings("tags")},
    lambda tag: starts_with(tag, 'base_model:'))), 12) AS said FROM source))
GROUP BY child, parent
"""
    if not values.has("cardData"):
        return ""
    relation = f"json_extract_string({values.json('cardData')}, '$.base_model_relation')"
    return f"""
SELECT {name} AS child, unnest(list_distinct({card_list(values, "base_model")})) AS parent,
  {relation} AS relation
FROM source
"""


def labels(values: Values, kind: str) -> str:
    """Return the SELECT of what else repositories of this kind name; empty where they do not."""
    parts = [_named(values, kind)]
    if kind == "space":
        # What a Space uses is told beside its tags.
        parts += [
            f"SELECT 'space' AS repo_type, {values.text('id')} AS id, '{label}' AS kind, "
            f"unnest(list_distinct({values.strings(field)})) AS value FROM source"
            for label, field in (("model", "models"), ("dataset", "datasets"))
            if values.has(field)
        ]
    return " UNION ".join(part for part in parts if part)


def _named(values: Values, kind: str) -> str:
    name = values.text("id")
    if values.has("tags"):
        tags = f"unnest(list_distinct({values.strings('tags')}))"
        # The first licence is the repository's own column.
        more = (
            f"unnest(list_distinct(list_filter({values.strings('tags')}, "
            "lambda tag: starts_with(tag, 'license:'))[2:]))"
        )
        return f"""
SELECT '{kind}' AS repo_type, id, kind, value FROM (
  SELECT id, CASE split_part(tag, ':', 1) WHEN 'dataset' THEN 'dataset' WHEN 'arxiv' THEN 'paper'
      ELSE 'language' END AS kind,
    substr(tag, strpos(tag, ':') + 1) AS value
  FROM (SELECT {name} AS id, {tags} AS tag FROM source)
  WHERE tag IN ({_LANGUAGES})
    OR regexp_matches(tag, '^(dataset|arxiv|language):.'))
UNION ALL
SELECT '{kind}', id, 'license', substr(tag, 9) FROM (
  SELECT {name} AS id, {more} AS tag FROM source)
"""
    if not values.has("cardData"):
        return ""
    parts = [
        f"SELECT '{kind}' AS repo_type, {name} AS id, '{label}' AS kind, "
        f"unnest(list_distinct({card_list(values, key)}{rest})) AS value FROM source"
        for label, key, rest in (
            ("language", "language", ""),
            ("dataset", "datasets", ""),
            ("license", "license", "[2:]"),
        )
    ]
    return " UNION ALL ".join(parts)
