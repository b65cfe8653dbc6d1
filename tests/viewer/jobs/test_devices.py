"""What is known of a card without loading what computes on it."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from viewer.jobs import devices


class Driver:
    """As NVML: it writes into what it is given, and returns 0 where all went well."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any) -> int:
            self.asked.append(name)
            if name == "nvmlDeviceGetCudaComputeCapability":
                for place, value in zip(given[1:], (8, 6), strict=True):
                    place._obj.value = value
            return int(name == self._failing)

        return call


@pytest.mark.parametrize(
    ("failing", "capability"),
    [
        ("", (8, 6)),
        ("nvmlInit_v2", None),
        ("nvmlDeviceGetHandleByIndex_v2", None),
        ("nvmlDeviceGetCudaComputeCapability", None),
    ],
)
def test_the_driver_says_what_its_card_can(
    monkeypatch: pytest.MonkeyPatch, failing: str, capability: tuple[int, int] | None
) -> None:
    driver = Driver(failing)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver)
    assert devices.capability_of("cuda:0") == capability
    assert ("nvmlShutdown" in driver.asked) is (failing != "nvmlInit_v2")


def test_the_driver_names_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()

    def name(card: object, buffer: Any, size: int) -> int:
        assert size == len(buffer)
        buffer.value = b"NVIDIA Test"
        return 0

    driver.nvmlDeviceGetName = name  # type: ignore[attr-defined]
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver)
    monkeypatch.setattr(devices, "has_gpu", lambda: True)
    found = devices.describe_computing()
    assert (found.driver, found.card) == (True, "NVIDIA Test")
    assert "nvmlShutdown" in driver.asked
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver("nvmlDeviceGetName"))
    assert devices.card_name() == ""


def test_without_a_driver_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert devices.capability_of("cuda:0") is None
    assert devices.capability_of("cpu") is None
    assert devices.card_name() == ""
