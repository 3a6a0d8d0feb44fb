# SPDX-License-Identifier: Apache-2.0
"""The shape of `model-index`, the evaluation results in a model card.

Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md, and what huggingface_hub's
`model_index_to_eval_results` reads without a default: each result names a task, a dataset and at
least one metric with a type and a value.
"""

_MAX_CHECKED = 2_000


def check_model_index(value: object) -> list[str]:
    """What is wrong with a `model-index`; empty when it is sound."""
    if not isinstance(value, list):
        return ['"model-index" must be an array']
    errors: list[str] = []
    for number, model in enumerate(value[:_MAX_CHECKED]):
        label = f"model-index[{number}]"
        if not isinstance(model, dict):
            errors.append(f'"{label}" must be of type object')
            continue
        if not isinstance(model.get("name"), str):
            errors.append(f'"{label}.name" is required')
        results = model.get("results")
        if not isinstance(results, list):
            errors.append(f'"{label}.results" is required')
            continue
        for position, result in enumerate(results[:_MAX_CHECKED]):
            errors += _check_result(result, f"{label}.results[{position}]")
    return errors


def _check_result(result: object, label: str) -> list[str]:
    if not isinstance(result, dict):
        return [f'"{label}" must be of type object']
    errors = _missing(result.get("task"), f"{label}.task", ("type",))
    errors += _missing(result.get("dataset"), f"{label}.dataset", ("type", "name"))
    metrics = result.get("metrics")
    if not isinstance(metrics, list):
        return [*errors, f'"{label}.metrics" is required']
    for number, metric in enumerate(metrics[:_MAX_CHECKED]):
        errors += _missing(metric, f"{label}.metrics[{number}]", ("type", "value"))
    return errors


def _missing(part: object, label: str, names: tuple[str, ...]) -> list[str]:
    if not isinstance(part, dict):
        return [f'"{label}" is required']
    return [f'"{label}.{name}" is required' for name in names if name not in part]
