# SPDX-License-Identifier: Apache-2.0
"""What training a model may have emitted, estimated from its size: a formula, and how sure it is.

    FLOP  = 6 * N * D
    kWh   = FLOP / (peak * utilisation) / 3.6e6 * PUE
    kg    = kWh * grid / 1000

N is the number of parameters, D that of tokens seen, `peak` the FLOP that an accelerator does at
best with a joule, `utilisation` the part of that which training gets out of it, `PUE` what a data
centre draws for each joule that its machines draw, `grid` grams of CO2 equivalent for a kWh.

Sources. 6ND: Kaplan et al., Scaling Laws for Neural Language Models, 2.1 (2020), as Epoch AI counts
operations. Energy, PUE and grid: Lacoste et al., Quantifying the Carbon Emissions of Machine
Learning (2019), and Patterson et al., Carbon Emissions and Large Neural Network Training (2021).
From operations to the emissions of a hub, in tiers by what is known of each model: Wang et al.,
Hugging Carbon (ICML 2026).

What it leaves out: runs that failed or were for search, the machines around the accelerators, and
making them. Everything here is a pure function of its arguments.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hubkeep.observatory.figure import Parameter

_JOULES: Final = 3.6e6
"""In a kWh."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A number that the estimate needs and no snapshot has, with how low and high it may be."""

    parameter: Parameter
    low: float
    high: float
    power: int
    """1 where emissions grow with it, -1 where they shrink."""


FACTORS: Final = (
    Factor(
        Parameter(
            "tokens_per_parameter",
            120.0,
            "tokens that a model saw for each of its parameters, where nobody has said",
            least=0.01,
            most=1e6,
        ),
        4,
        1500,
        1,
    ),
    Factor(
        Parameter(
            "peak",
            7.8e11,
            "FLOP that an accelerator does at best with a joule",
            least=1e9,
            most=1e15,
        ),
        4.2e11,
        1.41e12,
        -1,
    ),
    Factor(
        Parameter(
            "utilisation", 0.4, "the part of its peak that training gets", least=0.01, most=1
        ),
        0.2,
        0.5,
        -1,
    ),
    Factor(
        Parameter(
            "pue", 1.2, "what a data centre draws for each joule of its machines", least=1, most=3
        ),
        1.1,
        1.58,
        1,
    ),
    Factor(
        Parameter("grid", 480.0, "grams of CO2 equivalent for a kWh", least=1, most=2000),
        56,
        713,
        1,
    ),
)
FACTORS_MEAN: Final = (
    (
        "tokens_per_parameter 120 (4 to 1,500): the median and the range from 10% to 90% of the "
        "200 open language models of which Epoch AI has operations and parameters (data of April "
        "2025, CC BY); 20 is what Hoffmann et al. (2022) found best for a given budget."
    ),
    (
        "peak 7.8e11 FLOP for a joule: NVIDIA A100, 312 TFLOP/s at 400 W; from V100 (125 at 300 W) "
        "to H100 (989 at 700 W), as their makers say."
    ),
    (
        "utilisation 0.4 (0.2 to 0.5): 0.21 of GPT-3 and 0.46 of PaLM (Chowdhery et al. 2022), "
        "0.38 to 0.43 of Llama 3 (Grattafiori et al. 2024)."
    ),
    (
        "pue 1.2: from 1.1 of the largest operators to 1.58, the mean of all data centres (Uptime "
        "Institute, survey of 2023)."
    ),
    (
        "grid 480 g for a kWh: the world in 2023 (Ember); from France (56) to India (713) in that "
        "year."
    ),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Kilograms of CO2 equivalent, and the range that they may be in."""

    low: float
    middle: float
    high: float

    def __add__(self, other: "Estimate") -> "Estimate":
        """Return both together: what is not known is the same of both, so that ends add up."""
        return Estimate(self.low + other.low, self.middle + other.middle, self.high + other.high)


def estimated(operands: float, given: Mapping[str, float], *, tokens_known: bool) -> Estimate:
    """Return what training emitted, given N * D, or N * N where the tokens are not known.

    `given` has the value of each of FACTORS by its name. One that is not its default has been set
    by somebody who knows it: it does not widen the range. The others are taken to be independent:
    their ranges, as ratios to the middle, add up as squares of logarithms do.
    """
    factors = [one for one in FACTORS if not (tokens_known and one is FACTORS[0])]
    flop = 6 * operands * (1 if tokens_known else given["tokens_per_parameter"])
    kwh = flop / (given["peak"] * given["utilisation"]) / _JOULES * given["pue"]
    middle = kwh * given["grid"] / 1000
    down = math.sqrt(sum(_spread(one, given, -1) ** 2 for one in factors))
    up = math.sqrt(sum(_spread(one, given, 1) ** 2 for one in factors))
    return Estimate(middle * math.exp(-down), middle, middle * math.exp(up))


def _spread(factor: Factor, given: Mapping[str, float], way: int) -> float:
    """How far emissions go up (1) or down (-1) within a factor's range, as a logarithm."""
    middle = given[factor.parameter.name]
    if middle != factor.parameter.default:
        return 0.0
    return abs(math.log((factor.high if way == factor.power else factor.low) / middle))
