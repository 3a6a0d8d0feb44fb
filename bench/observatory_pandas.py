# SPDX-License-Identifier: Apache-2.0
"""Figures of the observatory as one would compute them with pandas: what ours are measured against.

    python bench/observatory_pandas.py SNAPSHOT TABLES

A script of its own, for an interpreter with pandas and pyarrow: it imports nothing of this project.
It reads the columns that it needs from the same Parquet files, and the same tables of what is known
of namespaces, licences and tasks. There are no intervals, and no shares with one model left out.
"""

import json
import resource
import sys
import time
from pathlib import Path

began = time.perf_counter()

import numpy as np  # noqa: E402 - the time that imports take counts
import pandas as pd  # noqa: E402

NONE = "(none)"
K = 300
MODELS = [
    "id", "author", "created_at", "downloads_30d", "likes", "license", "task", "library",
    "has_metrics",
]  # fmt: skip


def read(folder: Path, tables: Path) -> pd.DataFrame:
    """Return the models with what is known of them."""
    models = pd.read_parquet(folder / "models.parquet", columns=MODELS)
    known = {
        name: pd.read_csv(tables / f"{name}.csv", keep_default_na=False)
        for name in ("aliases", "entities", "licences", "modalities", "org_types")
    }
    place_namespaces(models, known)
    place_licences(models, known["licences"])
    task = models["task"]
    by_task = dict(zip(known["modalities"]["task"], known["modalities"]["modality"], strict=True))
    models["modality"] = task.map(by_task).where(task.map(by_task).notna(), "other")
    models.loc[task.isna(), "modality"] = NONE
    models["flagged"] = flagged(models)
    return models


def place_namespaces(models: pd.DataFrame, known: dict[str, pd.DataFrame]) -> None:
    moves = dict(zip(known["aliases"]["old"], known["aliases"]["new"], strict=True))
    renames = {old: new for old, new in moves.items() if "/" not in new}
    owners = {old: new.partition("/")[0] for old, new in moves.items() if "/" in new}
    bare = models["author"].isna()
    namespace = models["author"].map(lambda name: renames.get(name, name), na_action="ignore")
    namespace[bare] = models.loc[bare, "id"].map(owners)
    models["namespace"] = namespace.fillna(NONE)
    lower = models["namespace"].str.lower()
    entities = known["entities"].assign(key=known["entities"]["namespace"].str.lower())
    entity = lower.map(entities.set_index("key")["entity"])
    models["entity"] = entity.where(entity.notna(), models["namespace"])
    types = known["org_types"].assign(key=known["org_types"]["namespace"].str.lower())
    models["org_type"] = lower.map(types.set_index("key")["org_type"]).fillna("other")


def place_licences(models: pd.DataFrame, licences: pd.DataFrame) -> None:
    def place(name: str) -> str:
        for row in rows:
            if row.match == "exact" and name == row.pattern:
                return row.kind
            if row.match == "like" and pd.Series([name]).str.fullmatch(row.regex).iloc[0]:
                return row.kind
        return "other"

    kinds = licences["class"], licences["pattern"].str.replace("%", ".*")
    rows = list(licences.assign(kind=kinds[0], regex=kinds[1]).itertuples())
    models["licence"] = models["license"].fillna(NONE)
    models["class"] = models["license"].map(
        {n: place(n) for n in models["license"].dropna().unique()}
    )
    models["class"] = models["class"].fillna("none")


def flagged(models: pd.DataFrame) -> pd.Series:
    """Which counters stand out, by the rules that need no earlier snapshot."""
    dl, total = models["downloads_30d"], models["downloads_30d"].sum()
    alone = (dl > 0.05 * total) & (dl > 3 * total / (dl > 0).sum())
    large = models.loc[(dl >= 100) & (dl > total / 10_000), ["id", "author", "downloads_30d"]]
    pairs = large.merge(large, on="author", suffixes=("", "_other"))
    near = pairs[
        (pairs["id"] != pairs["id_other"])
        & (
            (pairs["downloads_30d_other"] - pairs["downloads_30d"]).abs()
            <= 0.02 * pairs["downloads_30d"]
        )
        & pairs["author"].notna()
    ]
    times = near.groupby("id").size()
    return alone | models["id"].isin(times[times >= 3].index)


def loads(rows: pd.DataFrame, by: list[str], first: str) -> pd.DataFrame:
    """Models and downloads of each group, flagged counters apart."""
    rows = rows.assign(
        dl=rows["downloads_30d"].where(~rows["flagged"], 0),
        dl_flagged=rows["downloads_30d"].where(rows["flagged"], 0),
    )
    grouped = rows.groupby(by).agg(
        n=("dl", "size"), dl=("dl", "sum"), dl_flagged=("dl_flagged", "sum")
    )
    return grouped.reset_index().sort_values(["dl", first], ascending=[False, True])


def most_used(models: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """S1 to S5: the most used models by licence, by who made them and by task."""
    used = models.sort_values(["downloads_30d", "id"], ascending=[False, True]).head(K)
    used = used.assign(author=used["namespace"], task=used["task"].fillna(NONE))
    by_n = used.groupby(["licence", "class"]).size().rename("n").reset_index()
    makers = used.groupby(["author", "entity"]).size().rename("n").reset_index()
    return {
        "S1": by_n.sort_values(["n", "licence"], ascending=[False, True]),
        "S2": loads(used, ["licence", "class"], "licence"),
        "S3": makers.sort_values(["n", "author"], ascending=[False, True]),
        "S4": loads(used, ["author", "entity"], "author"),
        "S5": loads(used, ["task", "modality"], "task"),
    }


def organisations(models: pd.DataFrame) -> pd.DataFrame:
    """F2: types of organisations, without sizes, which the census does not have."""
    kept = models[~models["flagged"]]
    named = models[models["namespace"] != NONE]
    quartiles = kept.groupby("org_type")["downloads_30d"].quantile([0.25, 0.5, 0.75]).unstack()
    found = pd.DataFrame(
        {
            "n_models": models.groupby("org_type").size(),
            "n_orgs": named.groupby("org_type")["namespace"].nunique(),
            "dl_sum": kept.groupby("org_type")["downloads_30d"].sum(),
            "dl_q25": quartiles[0.25],
            "dl_q50": quartiles[0.5],
            "dl_q75": quartiles[0.75],
        }
    ).reset_index()
    return found.sort_values(["n_models", "org_type"], ascending=[False, True])


def concentration(models: pd.DataFrame) -> pd.DataFrame:
    """B1: Gini of downloads over models, authors and entities."""
    kept = models[~models["flagged"]]
    bare = kept["namespace"] == NONE
    holdings = {
        "model": kept["downloads_30d"],
        "author": kept.groupby(kept["namespace"].where(~bare, kept["id"]))["downloads_30d"].sum(),
        "entity": kept.groupby(kept["entity"].where(~bare, kept["id"]))["downloads_30d"].sum(),
    }
    rows = []
    for level, held in holdings.items():
        values = np.sort(held.to_numpy(dtype=float))
        n, total = len(values), values.sum()
        gini = 2 * (np.arange(1, n + 1) * values).sum() / (n * total) - (n + 1) / n
        shares = {str(top): values[-top:].sum() / total for top in (10, 50, 100, 200)}
        rows += [{"level": level, "measure": "gini", "top": None, "value": gini}]
        rows += [
            {"level": level, "measure": "top share", "top": top, "value": share}
            for top, share in shares.items()
        ]
    return pd.DataFrame(rows)


def fields(models: pd.DataFrame, labels: pd.DataFrame, bases: pd.Series) -> pd.DataFrame:
    """B9: what cards have, and how much of it."""
    has = pd.DataFrame(
        {
            "licence": models["license"].notna(),
            "task": models["task"].notna(),
            "library": models["library"].notna(),
            "dataset": models["id"].isin(labels.loc[labels["kind"] == "dataset", "id"]),
            "base": models["id"].isin(bases),
            "language": models["id"].isin(labels.loc[labels["kind"] == "language", "id"]),
            "metrics": models["has_metrics"],
        }
    )
    scores = has.sum(axis=1).value_counts().reindex(range(has.shape[1] + 1), fill_value=0)
    parts = [("field", name, int(n)) for name, n in has.sum().items()]
    parts += [("score", str(score), int(n)) for score, n in scores.items()]
    return pd.DataFrame(parts, columns=["part", "name", "n"])


def modalities(models: pd.DataFrame) -> pd.DataFrame:
    """B6: what models are about, of all and by quarter."""
    quarter = models["created_at"].dt.to_period("Q").dt.start_time.dt.date.astype(str)
    stamped = models["created_at"].dt.normalize() == pd.Timestamp("2022-03-02")
    whole = quarter.mask(stamped, "before March 2022").mask(models["created_at"].isna(), "no date")
    dl = models["downloads_30d"].where(~models["flagged"], 0)
    rows = pd.DataFrame({"whole": whole, "modality": models["modality"], "dl": dl})
    found = pd.concat([rows.assign(whole="all"), rows]).groupby(["whole", "modality"])
    return found["dl"].agg(["size", "sum"]).reset_index()


def named(models: pd.DataFrame, labels: pd.DataFrame, top: int = 50) -> pd.DataFrame:
    """B15: the languages, datasets and papers that most models name or that are downloaded most."""
    kinds = ["language", "dataset", "paper"]
    told = labels[labels["kind"].isin(kinds)].merge(
        models[["id", "downloads_30d", "flagged"]], on="id"
    )
    found = loads(told, ["kind", "value"], "value")
    by_n = found.sort_values(["n", "value"], ascending=[False, True]).groupby("kind").head(top)
    by_dl = found.groupby("kind").head(top)
    return found.loc[by_n.index.union(by_dl.index)].sort_values(["kind", "value"])


def main() -> None:
    folder, tables = Path(sys.argv[1]), Path(sys.argv[2])
    models = read(folder, tables)
    labels = pd.read_parquet(
        folder / "labels.parquet",
        columns=["id", "kind", "value"],
        filters=[("repo_type", "==", "model")],
    )
    edges = pd.read_parquet(folder / "lineage.parquet", columns=["child", "parent"])
    found = most_used(models)
    found["F2"] = organisations(models)
    found["B1"] = concentration(models)
    found["B6"] = modalities(models)
    found["B9"] = fields(models, labels, edges.loc[edges["child"] != edges["parent"], "child"])
    found["B15"] = named(models, labels)
    said: dict[str, object] = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time(),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if "--tables" in sys.argv:
        said |= {name: json.loads(table.to_json(orient="records")) for name, table in found.items()}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
