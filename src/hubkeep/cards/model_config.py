# SPDX-License-Identifier: Apache-2.0
"""The parts of `config.json` and `tokenizer_config.json` that are shown with a model."""

from collections.abc import Mapping

from hubkeep.cards.values import clean, encodable, strings

MAX_TEMPLATE_CHARS = 32 * 1024
_SPECIAL_TOKENS = (
    "bos_token",
    "eos_token",
    "pad_token",
    "unk_token",
    "mask_token",
    "cls_token",
    "sep_token",
)
_PEFT = ("base_model_name_or_path", "task_type", "peft_type")


def shown_config(
    config: Mapping[str, object] | None, tokenizer_config: Mapping[str, object] | None
) -> dict[str, object] | None:
    """What the Hub's API shows as `config`: a small selection, bounded and cleaned."""
    shown: dict[str, object] = {}
    config = config or {}
    architectures = strings(config.get("architectures"), count=16)
    if architectures:
        shown["architectures"] = architectures
    model_type = clean(config.get("model_type"), 64)
    if model_type is not None:
        shown["model_type"] = model_type
    auto_map = config.get("auto_map")
    if isinstance(auto_map, dict):
        pairs = [(clean(key, 64), clean(value)) for key, value in list(auto_map.items())[:32]]
        shown["auto_map"] = {key: value for key, value in pairs if key and value}
    peft = {name: clean(config.get(name)) for name in _PEFT}
    if peft["peft_type"] is not None:
        shown["peft"] = {name: value for name, value in peft.items() if value is not None}
    quantization = _quantization(config)
    if quantization:
        shown["quantization_config"] = quantization
    tokens = _tokenizer(tokenizer_config or {})
    if tokens:
        shown["tokenizer_config"] = tokens
    return shown or None


def config_tags(config: Mapping[str, object] | None) -> list[str]:
    """Tags that follow from the configuration: custom code, and how the weights are packed."""
    config = config or {}
    tags = ["custom_code"] if isinstance(config.get("auto_map"), dict) else []
    quantization = _quantization(config)
    bits = quantization.get("bits")
    if bits is not None:
        tags.append(f"{bits}-bit")
    method = quantization.get("quant_method")
    return [*tags, str(method)] if method is not None else tags


def _quantization(config: Mapping[str, object]) -> dict[str, object]:
    written = config.get("quantization_config")
    if not isinstance(written, dict):
        return {}
    found: dict[str, object] = {}
    method = clean(written.get("quant_method"), 32)
    if method is not None:
        found["quant_method"] = method.lower()
    bits = written.get("bits")
    if isinstance(bits, int) and not isinstance(bits, bool) and 0 < bits <= 32:
        found["bits"] = bits
    elif written.get("load_in_4bit") is True:
        found["bits"] = 4
    elif written.get("load_in_8bit") is True:
        found["bits"] = 8
    return found


def _tokenizer(tokenizer_config: Mapping[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name in _SPECIAL_TOKENS:
        written = tokenizer_config.get(name)
        # Either the token itself or its description as an `AddedToken`.
        token = clean(written.get("content") if isinstance(written, dict) else written)
        if token is not None:
            shown[name] = token
    template = tokenizer_config.get("chat_template")
    if isinstance(template, list):
        template = next((_default_template(item) for item in template[:16]), None)
    if isinstance(template, str):
        shown["chat_template"] = encodable(template)[:MAX_TEMPLATE_CHARS]
    return shown


def _default_template(item: object) -> object:
    return item.get("template") if isinstance(item, dict) else None
