"""The model observer: closed forms, forced-choice experiments, and what must not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from scipy import fft
from scipy.integrate import quad
from scipy.stats import norm

from ml.phantom import observer
from ml.phantom.observer import (
    EYE_PEAK_PER_DEGREE,
    detectability,
    eye_filter,
    found_by_search,
    noise_power,
    power_at,
)
from ml.phantom.tissue import power_law_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXEL_MM = 0.1
SIDE = 320
# Amplitude and deviation (mm) of the signal, and power of the noise (mm2).
HEIGHT, SIGMA_MM, NOISE_MM2 = 0.05, 1.0, 4e-4
LIFE_SIZE = (1.0,)


def bump(
    side: int = SIDE,
    pixel_mm: float = PIXEL_MM,
    sigma_mm: float = SIGMA_MM,
    middle: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.float32]:
    place = (np.arange(side) - side / 2) * pixel_mm
    down, right = place[:, None] - middle[0], place[None, :] - middle[1]
    shape = np.exp(-(down**2 + right**2) / (2 * sigma_mm**2))
    return np.asarray(HEIGHT * shape, np.float32)


def white(
    seed: int, side: int = SIDE, pixel_mm: float = PIXEL_MM, power: float = NOISE_MM2
) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).standard_normal((side, side))
    return np.asarray(noise * np.sqrt(power) / pixel_mm, np.float32)


def tissue(seed: int, beta: float = 3.0) -> NDArray[np.float32]:
    """Power-law lumps, cut from a wider field so that they do not repeat at the edge."""
    wide = power_law_noise(
        (3 * SIDE, 3 * SIDE), beta, PIXEL_MM, np.random.default_rng((seed, 2))
    )
    return wide[SIDE : 2 * SIDE, SIDE : 2 * SIDE] * np.float32(0.05)


def no_eye(_frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ones_like(_frequency)


def test_white_noise_without_an_eye_has_the_closed_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The ideal observer's: the root of the signal's energy over the noise's power.
    expected = np.sqrt(np.pi) * SIGMA_MM * HEIGHT / np.sqrt(NOISE_MM2)
    monkeypatch.setattr(observer, "eye_filter", no_eye)
    measured = [detectability(bump(), white(seed), PIXEL_MM) for seed in range(12)]
    assert measured == pytest.approx([expected] * 12, rel=0.12)
    assert np.mean(measured) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("sigma_mm", [0.4, 1.0, 2.5])
def test_white_noise_with_the_eye_is_the_integral_over_frequencies(sigma_mm: float) -> None:
    degree_mm = 500 * np.pi / 180

    def integral(power: int) -> float:
        def ring(f: float) -> float:
            spectrum = 2 * np.pi * sigma_mm**2 * HEIGHT
            spectrum *= np.exp(-2 * (np.pi * f * sigma_mm) ** 2)
            eye = float(eye_filter(np.array([f * degree_mm]))[0])
            return 2 * np.pi * f * spectrum**2 * eye**power

        return float(quad(ring, 0, 5, limit=200)[0])

    expected = integral(2) / np.sqrt(NOISE_MM2 * integral(4))
    signal = bump(sigma_mm=sigma_mm)
    measured = np.mean(
        [
            detectability(signal, white(seed), PIXEL_MM, magnifications=LIFE_SIZE)
            for seed in range(4)
        ]
    )
    assert measured == pytest.approx(expected, rel=0.03)


def test_the_eye_is_best_where_it_is_said_to_be() -> None:
    per_degree = np.linspace(0, 20, 2001)
    assert per_degree[np.argmax(eye_filter(per_degree))] == pytest.approx(EYE_PEAK_PER_DEGREE)
    assert eye_filter(np.zeros(1))[0] == 0


def test_twice_the_signal_and_four_times_the_dose_both_double_it() -> None:
    once = detectability(bump(), white(1), PIXEL_MM)
    assert detectability(2 * bump(), white(1), PIXEL_MM) == pytest.approx(2 * once)
    assert detectability(-bump(), white(1), PIXEL_MM) == pytest.approx(once)
    dosed = detectability(bump(), white(1) / np.float32(2), PIXEL_MM)
    assert dosed == pytest.approx(2 * once)
    # Of another unit, it is the same.
    both = detectability(700 * bump(), 700 * white(1) + np.float32(300), PIXEL_MM)
    assert both == pytest.approx(once, rel=1e-3)


def test_dose_helps_little_where_tissue_hides_the_lesion() -> None:
    gains = []
    for share in (0.0, 0.3, 1.0):
        plain, dosed = (
            np.mean(
                [
                    detectability(
                        bump(), share * tissue(seed) + white(seed, power=noise), PIXEL_MM
                    )
                    for seed in range(4)
                ]
            )
            for noise in (1e-4, 1e-4 / 4)
        )
        gains.append(float(dosed / plain))
    assert gains[0] == pytest.approx(2)
    assert gains[0] > gains[1] > gains[2] > 1
    assert gains[2] < 1.3


@pytest.mark.parametrize("coarser", [2, 4])
def test_the_size_of_a_pixel_does_not_matter(coarser: int) -> None:
    fine = tissue(5) + white(5)
    step = (SIDE // coarser, coarser, SIDE // coarser, coarser)
    coarse = np.asarray(fine.reshape(step).mean((1, 3)), np.float32)
    signal = np.asarray(bump().reshape(step).mean((1, 3)), np.float32)
    expected = detectability(bump(), fine, PIXEL_MM, magnifications=LIFE_SIZE)
    measured = detectability(signal, coarse, coarser * PIXEL_MM, magnifications=LIFE_SIZE)
    assert measured == pytest.approx(expected, rel=0.05)


def test_where_the_lesion_lies_in_its_window_does_not_matter() -> None:
    noise = tissue(6) + white(6)
    middle = detectability(bump(), noise, PIXEL_MM)
    for place in ((4.0, -5.0), (-3.3, 7.1)):
        aside = detectability(bump(middle=place), noise, PIXEL_MM)
        assert aside == pytest.approx(middle, rel=0.01)
    # Nor how much of nothing is around it.
    cut = np.ascontiguousarray(bump()[80:-80, 60:-70])
    assert detectability(cut, noise, PIXEL_MM) == pytest.approx(middle, rel=0.02)


@pytest.mark.parametrize("beta", [1.5, 2.5, 3.0, 3.5])
def test_the_spectrum_of_a_known_background_is_found(beta: float) -> None:
    found = [noise_power(tissue(seed, beta), PIXEL_MM) for seed in range(6)]
    rings = found[0][0]
    power = np.mean([one[1] for one in found], 0)
    middle = (rings > 0.15) & (rings < 2)
    slope = np.polyfit(np.log(rings[middle]), np.log(power[middle]), 1)[0]
    assert -slope == pytest.approx(beta, abs=0.2)


def test_below_the_patch_the_power_law_goes_on() -> None:
    rings = np.linspace(0.1, 5, 50)
    frequency = np.array([0.0, 0.02, 0.05, 0.1, 1.0])
    found = power_at(frequency, rings, rings**-3.0)
    assert found[1:] == pytest.approx(frequency[1:] ** -3.0, rel=0.03)
    flat = power_at(frequency, rings, np.ones(50))
    assert flat == pytest.approx(np.ones(5))


def test_air_beside_the_breast_is_left_out() -> None:
    noise = tissue(7) + white(7)
    inside = np.ones(noise.shape, np.bool_)
    inside[:, 260:] = False
    beside = np.where(inside, noise, np.float32(-3))
    honest = detectability(bump(), noise, PIXEL_MM)
    held = detectability(bump(), beside, PIXEL_MM, tissue=inside)
    assert held == pytest.approx(honest, rel=0.35)
    assert detectability(bump(), beside, PIXEL_MM) < 0.5 * held


def test_nothing_is_not_seen_and_nothing_hides_it_on_an_even_field() -> None:
    even = np.full((SIDE, SIDE), 0.5, np.float32)
    assert detectability(np.zeros_like(even), white(1), PIXEL_MM) == 0
    assert detectability(bump(), even, PIXEL_MM) == np.inf


def test_a_reader_who_may_enlarge_sees_more_of_what_is_small() -> None:
    small, noise = bump(sigma_mm=0.15), tissue(8) + white(8)
    life_size = detectability(small, noise, PIXEL_MM, magnifications=LIFE_SIZE)
    enlarged = detectability(small, noise, PIXEL_MM, magnifications=(4.0,))
    assert life_size < enlarged
    # Twice as near is twice as large.
    near = detectability(small, noise, PIXEL_MM, viewing_mm=250.0, magnifications=LIFE_SIZE)
    twice = detectability(small, noise, PIXEL_MM, magnifications=(2.0,))
    assert near == pytest.approx(twice)


def test_the_same_bytes_however_many_threads() -> None:
    noise = tissue(9) + white(9)
    threads = cv2.getNumThreads()
    found = []
    for count in (1, 2):
        cv2.setNumThreads(count)
        found.append(detectability(bump(), noise, PIXEL_MM))
    cv2.setNumThreads(threads)
    assert found[0] == found[1]


def percent_correct(d_prime: float, choices: int) -> float:
    """Of a choice of one among some, by an observer of this d' (Green and Swets 1966)."""

    def shown(x: float) -> float:
        return float(norm.pdf(x - d_prime) * norm.cdf(x) ** (choices - 1))

    return float(quad(shown, -8, 8 + d_prime)[0])


@pytest.mark.parametrize("correlated", [False, True])
def test_a_simulated_reader_is_right_as_often_as_its_d_prime_says(*, correlated: bool) -> None:
    side, pixel_mm, trials = 128, 0.2, 1500
    rng = np.random.default_rng(17)
    frequency = np.hypot(fft.fftfreq(side, pixel_mm)[:, None], fft.rfftfreq(side, pixel_mm))
    power = np.full(frequency.shape, NOISE_MM2)
    if correlated:
        power = 2e-5 / np.maximum(frequency, 0.05) ** 3 + 2e-5
    scale = np.asarray(np.sqrt(power) / pixel_mm, np.float32)
    signal = bump(side, pixel_mm)
    eye = eye_filter(frequency * 500 * np.pi / 180)
    # What the reader holds against the image: the signal, twice through the eye.
    template = np.asarray(fft.irfft2(np.asarray(fft.rfft2(signal)) * eye**2, (side, side)))
    answers = np.empty((trials, 4))
    fields: list[NDArray[np.float32]] = []
    for trial in range(trials):
        drawn = rng.standard_normal((4, side, side), np.float32)
        noise = np.asarray(fft.irfft2(np.asarray(fft.rfft2(drawn)) * scale, (side, side)))
        answers[trial] = np.tensordot(noise, template, 2)
        if trial < 40:
            fields.append(np.asarray(noise[0], np.float32))
    # A contrast at which the reader is neither always right nor guessing.
    shown = float(np.sum(signal * template))
    strength = np.float32(1.2 * answers.std() / shown)
    answers[:, 0] += strength * shown
    told = float(
        np.mean(
            [
                detectability(strength * signal, field, pixel_mm, magnifications=LIFE_SIZE)
                for field in fields
            ]
        )
    )
    assert told == pytest.approx(1.2, rel=0.06)
    for choices in (2, 4):
        right = float(np.mean(np.argmax(answers[:, :choices], 1) == 0))
        expected = percent_correct(told, choices)
        error = np.sqrt(expected * (1 - expected) / trials)
        assert right == pytest.approx(expected, abs=3 * error)


def test_searching_is_harder_than_being_told() -> None:
    # At one place with half a false mark the threshold is 0: Phi(d').
    assert found_by_search(1.0, 1, 0.5) == pytest.approx(0.8413, abs=1e-4)
    shares = [found_by_search(3.0, places, 0.25) for places in (1, 10, 100, 1000)]
    assert shares == sorted(shares, reverse=True)
    assert found_by_search(0.0, 200, 0.25) == pytest.approx(0.25 / 200)


def test_a_simulated_search_finds_as_many() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(4000, 100))
    threshold = np.quantile(noise, 1 - 0.25 / 100)
    hits = rng.normal(3.0, 1.0, 4000) >= threshold
    assert hits.mean() == pytest.approx(found_by_search(3.0, 100, 0.25), abs=0.03)
