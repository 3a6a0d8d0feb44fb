# SPDX-License-Identifier: Apache-2.0
"""Tasks (pipeline tags) with their modality, and how a model's task is inferred.

Sources: https://huggingface.co/tasks and the order of `PIPELINE_DATA` in huggingface.js (within a
modality from the specific to the general, which decides between several tasks among the tags);
the heads of transformers' auto classes
(https://huggingface.co/docs/transformers/main/model_doc/auto).
"""

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

# Architectures whose names say less than what they are for, by the start of the class name ...
_FAMILIES: tuple[tuple[str, str, str], ...] = (
    # (start, end, task)
    ("Whisper", "ForConditionalGeneration", "automatic-speech-recognition"),
    ("Speech2Text", "ForConditionalGeneration", "automatic-speech-recognition"),
    ("SpeechT5ForSpeechToText", "", "automatic-speech-recognition"),
    ("SpeechEncoderDecoderModel", "", "automatic-speech-recognition"),
    # Audio encoders share the head's name with text models.
    ("Wav2Vec2", "ForSequenceClassification", "audio-classification"),
    ("Hubert", "ForSequenceClassification", "audio-classification"),
    ("WavLM", "ForSequenceClassification", "audio-classification"),
    ("UniSpeech", "ForSequenceClassification", "audio-classification"),
    ("SEW", "ForSequenceClassification", "audio-classification"),
    ("Data2VecAudio", "ForSequenceClassification", "audio-classification"),
    ("SpeechT5ForTextToSpeech", "", "text-to-speech"),
    ("VitsModel", "", "text-to-speech"),
    ("Marian", "", "translation"),
    ("Llava", "ForConditionalGeneration", "image-text-to-text"),
    ("Qwen2VL", "ForConditionalGeneration", "image-text-to-text"),
    ("Qwen2_5_VL", "ForConditionalGeneration", "image-text-to-text"),
    ("Qwen3VL", "ForConditionalGeneration", "image-text-to-text"),
    ("Idefics", "ForConditionalGeneration", "image-text-to-text"),
    ("PaliGemma", "ForConditionalGeneration", "image-text-to-text"),
    ("Gemma3", "ForConditionalGeneration", "image-text-to-text"),
    ("Mllama", "ForConditionalGeneration", "image-text-to-text"),
    ("Blip", "ForConditionalGeneration", "image-to-text"),
    ("Kosmos", "ForConditionalGeneration", "image-to-text"),
    ("Pix2Struct", "ForConditionalGeneration", "image-to-text"),
    ("EncoderDecoderModel", "", "text2text-generation"),
    ("VisionEncoderDecoderModel", "", "image-to-text"),
    ("Owl", "ForObjectDetection", "zero-shot-object-detection"),
    ("GroundingDino", "ForObjectDetection", "zero-shot-object-detection"),
    ("Sam", "Model", "mask-generation"),
    ("CLIPModel", "", "zero-shot-image-classification"),
    ("ChineseCLIPModel", "", "zero-shot-image-classification"),
    ("Siglip", "Model", "zero-shot-image-classification"),
    ("Align", "Model", "zero-shot-image-classification"),
    ("Dinov2", "Model", "image-feature-extraction"),
    ("DINOv3", "Model", "image-feature-extraction"),
    ("ViT", "Model", "image-feature-extraction"),
)
# ... and the heads that transformers names alike over all families, by the end of it.
_HEADS: tuple[tuple[str, str], ...] = (
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForTableQuestionAnswering", "table-question-answering"),
    ("ForDocumentQuestionAnswering", "document-question-answering"),
    ("ForVisualQuestionAnswering", "visual-question-answering"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForQuestionAnsweringSimple", "question-answering"),
    ("ForMultipleChoice", "multiple-choice"),
    ("ForMaskedLM", "fill-mask"),
    ("ForPreTraining", "fill-mask"),
    ("ForCTC", "automatic-speech-recognition"),
    ("ForSpeechSeq2Seq", "automatic-speech-recognition"),
    ("ForImageTextToText", "image-text-to-text"),
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForConditionalGeneration", "text2text-generation"),
    ("ForSeq2SeqLM", "text2text-generation"),
    ("ForTextToWaveform", "text-to-speech"),
    ("ForTextToSpectrogram", "text-to-speech"),
    ("ForAudioClassification", "audio-classification"),
    ("ForXVector", "audio-classification"),
    ("ForZeroShotObjectDetection", "zero-shot-object-detection"),
    ("ForObjectDetection", "object-detection"),
    ("ForSemanticSegmentation", "image-segmentation"),
    ("ForImageSegmentation", "image-segmentation"),
    ("ForInstanceSegmentation", "image-segmentation"),
    ("ForUniversalSegmentation", "image-segmentation"),
    ("ForDepthEstimation", "depth-estimation"),
    ("ForVideoClassification", "video-classification"),
    ("ForImageClassification", "image-classification"),
    ("ForImageClassificationWithTeacher", "image-classification"),
    ("ForMaskGeneration", "mask-generation"),
    ("Model", "feature-extraction"),
)

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
        task = _architecture_task(architecture)
        if task is not None:
            return task
    if library == "diffusers":
        return _diffusers_task(tags)
    return _LIBRARY_TASKS.get(library or "")


def _architecture_task(name: str) -> str | None:
    for start, end, task in _FAMILIES:
        if name.startswith(start) and name.endswith(end):
            return task
    return next((task for end, task in _HEADS if name.endswith(end)), None)


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
