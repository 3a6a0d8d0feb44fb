# SPDX-License-Identifier: Apache-2.0
"""Which files count as a download of their repository.

Source: https://huggingface.co/docs/hub/models-download-stats and, per library, the
`countDownloads` rules of the library table in huggingface.js. One file, or one small set of
alternatives, stands for the model, so that a download of all its files counts once. Every GGUF
file counts whatever the library: users fetch one out of many.
"""

from fnmatch import fnmatchcase

DEFAULT = ("config.json", "config.yaml", "hyperparams.yaml", "params.json", "meta.yaml")

# Library -> patterns. Paths are matched whole and with regard to case; `*` crosses folders, a
# leading `/` means the root alone.
RULES = {
    "acestep": "ace_step_transformer/config.json",
    "adapter-transformers": "adapter_config.json",
    "anemoi": "*.ckpt",
    "asteroid": "pytorch_model.bin",
    "audiocraft": "state_dict.bin",
    "audioseal": "*.pth",
    "bagel-mot": "llm_config.json",
    "bboxmaskpose": "*.pth",
    "big_vision": "*.npz",
    "birder": "*.pt",
    "bm25s": "params.index.json",
    "champ": "champ/motion_module.pth",
    "chat_tts": "asset/GPT.pt",
    "chatterbox": "tokenizer.json",
    "clipscope": "*.pt",
    "colpali": "adapter_config.json",
    "comet": "hparams.yaml",
    "contexttab": "*.pt",
    "cosmos": "config.json *.pt",
    "cosyvoice": "*.onnx *.pt",
    "cotracker": "*.pth",
    "cxr-foundation": "precomputed_embeddings/embeddings.npz pax-elixr-b-text/saved_model.pb",
    "depth-anything-v2": "*.pth",
    "depth-pro": "*.pt",
    "derm-foundation": "scin_dataset_precomputed_embeddings.npz saved_model.pb",
    # Through the library, or by hand from the root; weights in folders come with the former.
    "diffusers": "model_index.json /*.safetensors /*.ckpt /*.bin",
    "diffusion-single-file": "*.safetensors",
    "edsnlp": "config.cfg */config.cfg",
    "elm": "slicex_elm_config.json */slicex_elm_config.json",
    "f5-tts": "*.safetensors *.pt",
    "fasttext": "*.bin",
    "flair": "pytorch_model.bin",
    "fme": "*.tar",
    "gemma.cpp": "*.sbs",
    "genmo": "vae_stats.json",
    "geometry-crafter": "point_map_vae/diffusion_pytorch_model.safetensors",
    "gliner": "gliner_config.json",
    "glyph-byt5": "checkpoints/byt5_model.pt",
    "grok": "ckpt/tensor00000_000 ckpt-0/tensor00000_000",
    "hallo": "hallo/net.pth",
    "hermes": "ckpt/hermes_final.pth",
    "hezar": "model_config.yaml embedding/embedding_config.yaml",
    "hunyuan-dit": "pytorch_model_ema.pt pytorch_model_distill.pt",
    "hunyuan3d-2": "model_index.* */model_index.* config.* */config.*",
    "imstoucan": "embedding_gan.pt Vocoder.pt ToucanTTS.pt",
    "infinitetalk": "*.safetensors",
    "keras": "config.json *.keras",
    "kronos": "*.pt",
    "litert-lm": "*.litertlm",
    "liveportrait": "liveportrait/landmark.onnx",
    "lvface": "*.pt *.onnx",
    "magi-1": "ckpt/vae/config.json",
    "mars5-tts": "mars5_ar.safetensors",
    "medvae": "*.ckpt",
    "merlin": "*.pt",
    "mesh-anything": "MeshAnything_350m.pth",
    "mini-omni2": "model_config.yaml",
    "mitie": "total_word_feature_extractor* */total_word_feature_extractor*",
    "ml-agents": "*.onnx",
    "mlc-llm": "mlc-chat-config.json",
    "mlx-image": "model.safetensors",
    "monkeyocr": "Recognition/config.json",
    "moshi": "tokenizer-e351c8d8-checkpoint125.safetensors",
    "mtvcraft": "vae/3d-vae.pt",
    "nemo": "*.nemo model_config.yaml *.json",
    "open-oasis": "oasis500m.safetensors",
    "open-sora": "Open_Sora_v2.safetensors",
    "open_clip": "open_clip_model.safetensors model.safetensors open_clip_pytorch_model.bin "
    "pytorch_model.bin",
    "paddlenlp": "model_config.json",
    "peft": "adapter_config.json",
    "perception-encoder": "*.pt",
    "phantom-wan": "*.pth",
    "recurrentgemma": "tokenizer.model",
    "refiners": "model.safetensors",
    "rkllm": "*.rkllm",
    "sam2": "*.pt",
    "sample-factory": "cfg.json",
    "sana": "*.pth",
    "sapiens": "*.pt2 *.pth *.onnx",
    "seedvr": "*.pth",
    "sklearn": "sklearn_model.joblib",
    "soloaudio": "soloaudio_v2.pt",
    "songbloom": "*.pt",
    "spacy": "*.whl",
    "speechbrain": "hyperparams.yaml",
    "ssr-speech": "*.pth",
    "stable-audio-tools": "model.safetensors",
    "stable-baselines3": "*.zip",
    "stanza": "models/default.zip",
    "terratorch": "*.pt",
    "tf-keras": "saved_model.pb",
    "tic-clip": "checkpoints/*.pt",
    "timesfm": "checkpoints/checkpoint_*/state/checkpoint *.ckpt",
    "timm": "pytorch_model.bin model.safetensors",
    "tirex": "*.ckpt",
    "torchgeo": "*.pt *.pth",
    "trellis": "*.safetensors",
    "ultralytics": "*.pt",
    "uni-3dar": "*.pt",
    "unity-sentis": "*.sentis",
    "vfi-mamba": "*.pkl",
    "videoprism": "*.npz",
    "vui": "*.pt",
    "wan2.2": "config.json */config.json",
    "wham": "*.ckpt",
    "whisperkit": "*/model.mil",
    "yolov10": "*.pt *.safetensors",
}


def is_query_file(repo_type: str, library: str | None, path: str) -> bool:
    """Whether a download of `path` counts; any file of a dataset, a Space or a kernel does."""
    if repo_type != "model" or path.endswith(".gguf"):
        return True
    rule = RULES.get(library or "")
    if rule is None:
        return path in DEFAULT
    return any(_matches(pattern, path) for pattern in rule.split())


def _matches(pattern: str, path: str) -> bool:
    if pattern.startswith("/"):
        return "/" not in path and fnmatchcase(path, pattern[1:])
    return fnmatchcase(path, pattern)
