# SPDX-License-Identifier: Apache-2.0
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubkeep.cards.emissions import MAX_GRAMS, emissions_grams


@pytest.mark.parametrize(
    ("written", "grams"),
    [
        (7.300283563922049, 7.300283563922049),
        (100, 100.0),
        (0, 0.0),
        ("0.5 kg", 500.0),
        ("12,5 g", 12.5),
        ("0,125 kg", 125.0),
        ("149,200 g", 149_200.0),
        ("149 200", 149_200.0),
        ("1,234.5 kg CO2eq", 1_234_500.0),
        ("1.234,5 g", 1_234.5),
        ("1.2e3", 1_200.0),
        ("3 tons", 3e6),
        ("1.2 metric tons", 1.2e6),
        ("2.5 tCO2e", 2.5e6),
        ("100 kgCO2eq", 1e5),
        ("~ 5 kg of CO2", 5_000.0),
        ("60.17 Kg of CO2eq", 60_170.0),
        ("10 lbs", 4_535.9237),
        ([1, "2 kg"], 2_001.0),
        ({"emissions": 14590, "source": "CodeCarbon"}, 14_590.0),
        ({"emissions": "0.5 kg"}, 500.0),
    ],
)
def test_amounts_are_grams(written, grams):
    found = emissions_grams({"co2_eq_emissions": written})
    assert found is not None
    assert found.grams == pytest.approx(grams)


@pytest.mark.parametrize(
    ("written", "raw"),
    [
        (-1, "-1"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1e30, "1e+30"),
        ("-3 kg", "-3 kg"),
        ("unknown", "unknown"),
        ("5 gCO2eq/kWh", "5 gCO2eq/kWh"),
        ("5 furlongs", "5 furlongs"),
        ("5 10 g", "5 10 g"),
        ("", ""),
        (True, ""),
        ([], ""),
        ([1, "much"], "1; much"),
        ({}, ""),
        ({"emissions": {"kg": 1}}, ""),
        pytest.param(10**5000, "", id="huge integer"),
        ("9" * 10_000, "9" * 512),
    ],
)
def test_what_is_no_amount_is_kept_as_written(written, raw):
    found = emissions_grams({"co2_eq_emissions": written})
    assert found is not None
    assert (found.grams, found.raw) == (None, raw)


@pytest.mark.parametrize("card", [{}, {"co2_eq_emissions": None}])
def test_a_silent_card_has_none(card):
    assert emissions_grams(card) is None


def test_the_circumstances_are_kept():
    written = {
        "emissions": 1520,
        "source": "ML CO2 Impact",
        "training_type": "fine-tuning",
        "geographical_location": "NY\n",
        "hardware_used": "1 A4000 GPU",
    }
    found = emissions_grams({"co2_eq_emissions": written})
    assert found is not None
    assert found.source == "ML CO2 Impact"
    assert found.training_type == "fine-tuning"
    assert found.geographical_location == "NY"
    assert found.hardware_used == "1 A4000 GPU"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_never_negative_never_endless(written):
    found = emissions_grams({"co2_eq_emissions": written})
    if found is not None and found.grams is not None:
        assert 0 <= found.grams <= MAX_GRAMS


@given(st.floats(min_value=0, max_value=1e9))
def test_a_number_and_its_text_agree(grams):
    found = emissions_grams({"co2_eq_emissions": f"{grams} g"})
    assert found is not None
    assert found.grams == pytest.approx(grams)
