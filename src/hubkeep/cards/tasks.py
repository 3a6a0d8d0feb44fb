# SPDX-License-Identifier: Apache-2.0
"""Tasks (pipeline tags) with their modality, and how a model's task is inferred.

Sources: https://huggingface.co/tasks and the order of `PIPELINE_DATA` in huggingface.js (within a
modality from the specific to the general, which decides between several tasks among the tags);
the heads of transformers' auto classes
(https://huggingface.co/docs/transformers/main/model_doc/auto).
"""

import re
from collections.abc import Mapping, Sequence

from hubkeep.cards.values import clean, strings

_BY_MODALITY = {
    "nlp": """text-classification token-classification table-question-answering question-answering
        zero-shot-classification translation summarization feature-extraction text-generation
        text2text-generation fill-mask sentence-similarity text-ranking""",
    "audio": """text-to-speech text-to-audio automatic-speech-recognition audio-to-audio
        audio-classification voice-activity-detection""",
    "cv": """depth-estimation image-classification object-detection image-segmentation
        text-to-image image-to-text image-to-image image-to-video unconditional-image-generation
        video-classification text-to-video zero-shot-image-classification mask-generation
        zero-shot-object-detection text-to-3d image-to-3d image-feature-extraction
        keypoint-detection video-to-video""",
    "rl": "reinforcement-learning robotics",
    "tabular": """tabular-classification tabular-regression tabular-to-text
        time-series-forecasting""",
    "multimodal": """audio-text-to-text image-text-to-text image-text-to-image
        image-text-to-video visual-question-answering document-question-answering
        video-text-to-text visual-document-retrieval any-to-any""",
    "other": "graph-ml table-to-text multiple-choice text-retrieval other",
}
# Task to modality.
TASKS: dict[str, str] = {
    task: modality for modality, tasks in _BY_MODALITY.items() for task in tasks.split()
}

# The end of an architecture's class name -> task; the first that fits.
_HEADS = tuple(
    (re.compile(pattern), task)
    for pattern, task in (
        (r"ForSequenceClassification$", "text-classification"),
        (r"ForTokenClassification$", "token-classification"),
        (r"ForTableQuestionAnswering$", "table-question-answering"),
        (r"ForDocumentQuestionAnswering$", "document-question-answering"),
        (r"ForVisualQuestionAnswering$", "visual-question-answering"),
        (r"ForQuestionAnswering(Simple)?$", "question-answering"),
        (r"ForMultipleChoice$", "multiple-choice"),
        (r"(ForMaskedLM|ForPreTraining)$", "fill-mask"),
        (r"(ForCTC|ForSpeechSeq2Seq|SpeechEncoderDecoderModel)$", "automatic-speech-recognition"),
        (r"^(Whisper|Speech2Text|SpeechT5)\w*(ForConditionalGeneration|ForSpeechToText)$",
         "automatic-speech-recognition"),
        (r"^Marian", "translation"),
        (r"^(Llava|Qwen2VL|Qwen2_5_VL|Qwen3VL|Idefics|PaliGemma|Mllama|InternVL|Gemma3n?)\w*"
         r"ForConditionalGeneration$", "image-text-to-text"),
        (r"ForImageTextToText$", "image-text-to-text"),
        (r"^(Blip|Kosmos|Pix2Struct|GIT)\w*(ForConditionalGeneration|ForCausalLM)$",
         "image-to-text"),
        (r"^VisionEncoderDecoderModel$", "image-to-text"),
        (r"(ForCausalLM|LMHeadModel)$", "text-generation"),
        (r"(ForConditionalGeneration|ForSeq2SeqLM)$", "text2text-generation"),
        (r"ForTextToWaveform$|ForTextToSpectrogram$|^VitsModel$|^SpeechT5ForTextToSpeech$",
         "text-to-speech"),
        (r"(ForAudioClassification|ForAudioFrameClassification|ForXVector)$",
         "audio-classification"),
        (r"ForZeroShotObjectDetection$|^(Owl|GroundingDino)\w*ForObjectDetection$",
         "zero-shot-object-detection"),
        (r"ForObjectDetection$", "object-detection"),
        (r"(ForSemanticSegmentation|ForImageSegmentation|ForUniversalSegmentation"
         r"|ForInstanceSegmentation)$", "image-segmentation"),
        (r"ForDepthEstimation$", "depth-estimation"),
        (r"ForVideoClassification$", "video-classification"),
        (r"ForImageClassification(WithTeacher)?$", "image-classification"),
        (r"ForMaskGeneration$|^SamModel$|^Sam2Model$", "mask-generation"),
        (r"^(CLIP|Siglip2?|ChineseCLIP|Align|AltCLIP)Model$", "zero-shot-image-classification"),
        (r"^(Dinov2|ViT|ViTMAE|DINOv3ViT)Model$", "image-feature-extraction"),
        (r"Model$", "feature-extraction"),
    )
)  # fmt: skip

# What models of a library are for when nothing else says so.
_LIBRARY_TASKS = {
    "sentence-transformers": "sentence-similarity",
    "setfit": "text-classification",
    "span-marker": "token-classification",
    "bertopic": "text-classification",
    "flair": "token-classification",
    "stanza": "token-classification",
    "spacy": "token-classification",
    "timm": "image-classification",
    "stable-baselines3": "reinforcement-learning",
    "ml-agents": "reinforcement-learning",
    "sample-factory": "reinforcement-learning",
    "cleanrl": "reinforcement-learning",
    "lerobot": "robotics",
    "pyannote-audio": "voice-activity-detection",
    "open_clip": "zero-shot-image-classification",
}
# Diffusers' pipeline classes in `model_index.json` are not read here; its tags name them.
_DIFFUSERS_TASKS = (
    ("Img2Img", "image-to-image"),
    ("Inpaint", "image-to-image"),
    ("ImageToVideo", "image-to-video"),
    ("Video", "text-to-video"),
    ("DDPMPipeline", "unconditional-image-generation"),
)


def infer_task(
    tags: Sequence[str], library: str | None, config: Mapping[str, object] | None
) -> str | None:
    """The task of a model whose card has no `pipeline_tag`; None when nothing points to one.

    In order: a task among the card's tags, the architecture in `config.json`, the library.
    """
    named = [task for task in TASKS if task in tags]
    if named:
        return named[0]
    for architecture in strings((config or {}).get("architectures"), count=8):
        for pattern, task in _HEADS:
            if pattern.search(architecture):
                return task
    if library == "diffusers":
        return _diffusers_task(tags)
    return _LIBRARY_TASKS.get(library or "")


def _diffusers_task(tags: Sequence[str]) -> str | None:
    pipelines = [tag.removeprefix("diffusers:") for tag in tags if tag.startswith("diffusers:")]
    for part, task in _DIFFUSERS_TASKS:
        if any(part in name for name in pipelines):
            return task
    known = "stable-diffusion", "stable-diffusion-xl", "flux", "lora", "text-to-image"
    return "text-to-image" if pipelines or any(tag in tags for tag in known) else None


def task_name(value: object) -> str | None:
    """A `pipeline_tag` as it was written, cleaned; lists (a frequent slip) give their first."""
    if isinstance(value, list):
        value = value[0] if value else None
    return clean(value, 64)
