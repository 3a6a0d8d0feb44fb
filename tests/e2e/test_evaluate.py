# SPDX-License-Identifier: Apache-2.0
"""evaluate runs a metric that lies in a Space of the hub."""

from pathlib import Path

import evaluate
from huggingface_hub import HfApi

from tests.e2e.hub import EndToEndHub

METRIC = b"""
import datasets
import evaluate


class Half(evaluate.Metric):
    def _info(self):
        return evaluate.MetricInfo(
            description="half of the share of right answers",
            citation="",
            features=datasets.Features(
                {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
            ),
        )

    def _compute(self, predictions, references):
        right = sum(p == r for p, r in zip(predictions, references))
        return {"half": right / len(references) / 2}
"""


def test_a_metric_from_a_space(hub: EndToEndHub, cache: Path) -> None:
    api = HfApi()
    repo = hub.name("half").replace("-", "_")
    api.create_repo(repo, repo_type="space", space_sdk="static")
    script = f"{repo.partition('/')[2]}.py"
    api.upload_file(path_or_fileobj=METRIC, path_in_repo=script, repo_id=repo, repo_type="space")
    metric = evaluate.load(repo, cache_dir=str(cache))
    assert metric.compute(predictions=[1, 2, 3, 4], references=[1, 2, 0, 0]) == {"half": 0.25}
