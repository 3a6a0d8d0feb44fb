# SPDX-License-Identifier: Apache-2.0
"""diffusers pushes a tiny pipeline and runs the one it pulls."""

from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, UNet2DModel
from diffusers.pipelines import DDIMPipeline

from tests.e2e.hub import EndToEndHub


def tiny_pipeline() -> DDIMPipeline:
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8,
        block_out_channels=(4, 8),
        layers_per_block=1,
        norm_num_groups=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    pipeline = DDIMPipeline(unet, DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def picture(pipeline: DDIMPipeline) -> np.ndarray:
    generator = torch.Generator().manual_seed(1)
    return pipeline(num_inference_steps=2, generator=generator, output_type="np").images


def test_the_pulled_pipeline_draws_the_same_picture(hub: EndToEndHub, cache: Path) -> None:
    repo = hub.name("tiny-ddim")
    tiny_pipeline().push_to_hub(repo)
    pulled = DiffusionPipeline.from_pretrained(repo, cache_dir=cache)
    pulled.set_progress_bar_config(disable=True)
    np.testing.assert_allclose(picture(pulled), picture(tiny_pipeline()), atol=1e-5)
