"""Counts to degrees: against Planck's law written out by hand, and back again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from emolab.core.errors import DataError
from emolab.core.stream import Channel, StreamInfo
from emolab.devices.radiometry import (
    Linear,
    Planck,
    linear_to_celsius,
    planck_to_celsius,
    planck_to_counts,
    to_celsius,
)

CAMERA = {"form": "planck", "R": 1682452.0, "B": 1501.0, "F": 1.0, "O": -7340.0}


def planck(**changes: float) -> Planck:
    return Planck.model_validate({**CAMERA, **changes})


def test_linear_counts_are_hundredths_of_a_kelvin():
    celsius = linear_to_celsius(
        np.array([27315, 30715], dtype=np.uint16), Linear(form="linear", kelvin_per_count=0.01)
    )
    np.testing.assert_allclose(celsius, [0.0, 34.0], atol=1e-9)


def test_a_black_body_seen_through_nothing_is_the_plain_inverse_of_plancks_law():
    kelvin = 307.15
    counts = 1682452.0 / (math.exp(1501.0 / kelvin) - 1.0) + 7340.0
    params = planck(emissivity=1.0, transmission=1.0, reflected_c=500.0, atmospheric_c=-50.0)
    assert planck_to_celsius(counts, params) == pytest.approx(34.0, abs=1e-9)


@given(
    celsius=st.floats(-20, 120),
    emissivity=st.floats(0.5, 1.0),
    transmission=st.floats(0.5, 1.0),
    reflected_c=st.floats(0, 40),
    atmospheric_c=st.floats(0, 40),
)
def test_what_the_camera_would_see_is_turned_back_into_the_temperature(
    celsius: float, emissivity: float, transmission: float, reflected_c: float, atmospheric_c: float
):
    params = planck(
        emissivity=emissivity,
        transmission=transmission,
        reflected_c=reflected_c,
        atmospheric_c=atmospheric_c,
    )
    assert planck_to_celsius(planck_to_counts(celsius, params), params) == pytest.approx(celsius, abs=1e-6)


def test_more_counts_are_warmer():
    celsius = planck_to_celsius(np.arange(9000, 60000, dtype=np.uint16), planck())
    assert np.all(np.diff(celsius) > 0)


def test_everything_at_one_temperature_looks_like_it_whatever_the_emissivity():
    room = planck(emissivity=0.7, transmission=0.8, reflected_c=25.0, atmospheric_c=25.0)
    black = planck(emissivity=1.0, transmission=1.0)
    assert planck_to_counts(25.0, room) == pytest.approx(float(planck_to_counts(25.0, black)))


def test_ignoring_the_walls_would_make_warm_skin_look_too_cool():
    skin = planck(emissivity=0.98, reflected_c=20.0)
    counts = planck_to_counts(34.0, skin)
    as_black_body = planck_to_celsius(counts, planck(emissivity=1.0))
    assert 33.5 < as_black_body < 34.0


def test_counts_below_the_background_are_no_temperature():
    assert np.isnan(planck_to_celsius(0, planck(emissivity=0.1, reflected_c=60.0)))


def test_a_stored_stream_is_converted_by_the_parameters_stored_with_it():
    channel = Channel("thermal", "thermal")
    info = StreamInfo("t", (channel,), 9.0, "uint16", (1, 1), {"radiometry": planck().model_dump()})
    raw = np.round(planck_to_counts(np.array([[[34.0]]]), planck())).astype(np.uint16)
    np.testing.assert_allclose(to_celsius(raw, info), 34.0, atol=0.05)
    with pytest.raises(DataError, match="without radiometric parameters"):
        to_celsius(raw, StreamInfo("t", (channel,), 9.0, "uint16", (1, 1)))


def test_an_impossible_emissivity_is_refused():
    with pytest.raises(ValidationError):
        planck(emissivity=1.2)
