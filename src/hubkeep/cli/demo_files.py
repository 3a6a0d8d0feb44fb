# SPDX-License-Identifier: Apache-2.0
"""The files of the demonstration's gallery: small ones, of real formats, the same each time."""

import json
import random
import struct
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files

from hubkeep.cli.demo_shelf import Exhibit

VOCABULARY = 8192
_GALLERY = files("hubkeep.cli") / "gallery"
_WEATHER = ("Fog bank to the north", "Clear, long swell", "Rain since midnight", "Snow on deck")
_DEEDS = ("hove to", "rounded the light", "took a pilot", "lay at anchor", "set the topsail")
_SHIPS = ("Ragna", "Two Sisters", "Elbe IV", "Havørn", "Meridian", "Gudrun")
_NOTES = ("hawthorn in blossom", "Crataegus, flowering", "rain until noon", "two hares", "brambles")
_BIRDS = ("blackbird", "wren", "chiffchaff", "song thrush", "robin", "great tit")


def card_of(exhibit: Exhibit) -> str:
    """The card of a repository."""
    return text_named(f"{exhibit.path.partition('/')[2]}.md")


def text_named(name: str) -> str:
    """A text of the folder `gallery`."""
    return (_GALLERY / name).read_text(encoding="utf-8")


def files_of(exhibit: Exhibit) -> dict[str, bytes]:
    """What a repository holds besides its card."""
    name = exhibit.path.partition("/")[2]
    if exhibit.form == "rows":
        return _rows(name)
    if exhibit.form == "page":
        return _page(name)
    if exhibit.form == "pickle":
        return {"model.pkl": b"\x80\x04}\x94.", "columns.json": b'["pressure", "wind", "rain"]\n'}
    if exhibit.form == "gguf":
        shapes = tensors(*exhibit.shape)
        kinds = (("f16", 1), ("q8_0", 8))
        return {f"kittiwake-9m-{kind}.gguf": gguf(shapes, number) for kind, number in kinds}
    if exhibit.form == "adapter":
        return _adapter(exhibit)
    return _model(exhibit)


def tensors(layers: int, width: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a decoder's weights."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, width)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}"
        for part in "qkvo":
            shapes[f"{prefix}.self_attn.{part}_proj.weight"] = (width, width)
        shapes[f"{prefix}.mlp.gate_proj.weight"] = (width * 4, width)
        shapes[f"{prefix}.mlp.down_proj.weight"] = (width, width * 4)
        shapes[f"{prefix}.norm.weight"] = (width,)
    return shapes


def safetensors(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Weights of 16 bits, all zero: they take room in a folder, and next to none in a database."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        size = 2 * _count(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": (at, at + size)}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def gguf(shapes: Mapping[str, tuple[int, ...]], kind: int) -> bytes:
    """The same as GGUF: 1 is 16 bits a weight, 8 is 32 weights in 34 bytes."""
    values = [("general.architecture", "llama"), ("general.name", "Kittiwake 9M")]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(shapes), len(values) + 1)
    for key, value in values:
        head += _string(key) + struct.pack("<I", 8) + _string(value)
    head += _string("llama.context_length") + struct.pack("<II", 4, 1024)
    at = 0
    for name, shape in shapes.items():
        # Sizes are said from the innermost on; vectors stay at 16 bits.
        used = kind if len(shape) > 1 else 1
        head += _string(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", used, at)
        at += 2 * _count(shape) if used == 1 else _count(shape) // 32 * 34
        at = -(-at // 32) * 32
    return head + bytes(-len(head) % 32 + at)


def _model(exhibit: Exhibit) -> dict[str, bytes]:
    layers, width = exhibit.shape
    config = {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": width,
        "max_position_embeddings": 1024,
        "model_type": "llama",
        "num_attention_heads": 8,
        "num_hidden_layers": layers,
        "torch_dtype": "bfloat16",
        "vocab_size": VOCABULARY,
    }
    return {
        "config.json": _json(config),
        "generation_config.json": _json({"do_sample": True, "temperature": 0.7, "top_p": 0.9}),
        "model.safetensors": safetensors(tensors(layers, width)),
        "tokenizer_config.json": _json({"model_max_length": 1024, "tokenizer_class": "Llama"}),
    }


def _adapter(exhibit: Exhibit) -> dict[str, bytes]:
    layers, rank = exhibit.shape
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        for part in "qv":
            name = f"base_model.model.model.layers.{layer}.self_attn.{part}_proj"
            shapes |= {f"{name}.lora_A.weight": (rank, 256), f"{name}.lora_B.weight": (256, rank)}
    config = {
        "base_model_name_or_path": "harbourlight/kittiwake-9m",
        "lora_alpha": 16,
        "peft_type": "LORA",
        "r": rank,
        "target_modules": ["q_proj", "v_proj"],
    }
    name = "pytorch_lora_weights" if "inkwash" in exhibit.path else "adapter_model"
    held = {f"{name}.safetensors": safetensors(shapes)}
    return held if "inkwash" in exhibit.path else {"adapter_config.json": _json(config), **held}


def _rows(name: str) -> dict[str, bytes]:
    chance = random.Random(name)
    if name == "coastal-logbooks":
        return {
            f"data/{split}-00000-of-00001.parquet": _logbook(chance, count)
            for split, count in (("train", 2400), ("test", 240))
        }
    if name == "hedgerow-pairs":
        lines = (
            f"{chance.choice(_NOTES)}\t{chance.choice(_NOTES)}\t{chance.randint(0, 50) / 10}"
            for _ in range(600)
        )
        return {"pairs.tsv": "\n".join(["left\tright\tscore", *lines, ""]).encode()}
    if name == "dawn-chorus":
        lines = (
            f"{_day(chance, 2024)},{chance.choice(_BIRDS)},{chance.randint(180, 560)}"
            for _ in range(300)
        )
        return {"observations.csv": "\n".join(["date,bird,minute", *lines, ""]).encode()}
    lines = (_json_line(number) for number in range(120))
    return {"sentences.jsonl": b"".join(lines)}


def _json_line(number: int) -> bytes:
    made = {"id": number, "it": f"Frase numero {number}", "lij": f"Fraxe numero {number}"}
    return json.dumps(made).encode() + b"\n"


def _logbook(chance: random.Random, count: int) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "ship": [chance.choice(_SHIPS) for _ in range(count)],
            "date": [_day(chance, 1890 + chance.randrange(70)) for _ in range(count)],
            "wind": pa.array([chance.randint(0, 11) for _ in range(count)], pa.int8()),
            "lat": [round(chance.uniform(53, 62), 2) for _ in range(count)],
            "lon": [round(chance.uniform(2, 9), 2) for _ in range(count)],
            "entry": [f"{chance.choice(_WEATHER)}; {chance.choice(_DEEDS)}." for _ in range(count)],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _page(name: str) -> dict[str, bytes]:
    if name == "tide-clock":
        return {n: text_named(f).encode() for n, f in _CLOCK.items()}
    title = name.replace("-", " ").capitalize()
    made = text_named("page.html").replace("TITLE", title)
    return {"index.html": made.encode()}


_CLOCK = {"index.html": "tide-clock.html", "clock.css": "clock.css"}


def _day(chance: random.Random, year: int) -> date:
    return date(year, 1, 1) + timedelta(days=chance.randrange(365))


def _count(shape: tuple[int, ...]) -> int:
    number = 1
    for size in shape:
        number *= size
    return number


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
