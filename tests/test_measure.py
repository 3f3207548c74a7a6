"""What a run costs, and `None` where a machine cannot tell."""

import sys
import time

import pytest
import torch

from crn_lib import measure
from crn_lib.device import pick_device
from crn_lib.measure import added_memory, call_times, peak_memory, reset_peak_memory

CPU = torch.device("cpu")
MIB = 1024**2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process's peak")
def test_peak_memory_sees_a_buffer_that_is_gone_again():
    reset_peak_memory(CPU)
    before = peak_memory(CPU)
    torch.ones(64 * MIB // 4)
    assert peak_memory(CPU) - before > 50 * MIB


@pytest.mark.skipif(not measure._RESET.exists(), reason="this kernel cannot reset a peak")
def test_a_reset_forgets_an_earlier_peak():
    torch.ones(128 * MIB // 4)
    high = peak_memory(CPU)
    assert reset_peak_memory(CPU) is True
    assert peak_memory(CPU) < high - 50 * MIB


def test_a_machine_that_cannot_tell_gives_none(monkeypatch):
    assert peak_memory(torch.device("meta")) is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert peak_memory(CPU) is None


def test_where_a_peak_cannot_be_reset_what_a_call_adds_is_unknown(monkeypatch, tmp_path):
    called = []
    for reset in (tmp_path, tmp_path / "nothing"):  # a folder: writing it fails
        monkeypatch.setattr(measure, "_RESET", reset)
        assert reset_peak_memory(CPU) is False
        assert added_memory(lambda: called.append(1)) is None
    assert called == [1, 1]


def test_without_a_gpu_auto_takes_the_cpu_and_says_why(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device, why = pick_device()
    assert device == CPU and why.startswith("no CUDA GPU is here")


def test_with_a_gpu_auto_takes_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H200")
    assert pick_device() == (torch.device("cuda"), "a CUDA GPU is here (H200)")
    assert pick_device("cpu") == (CPU, "asked for")
    assert pick_device("cuda:1")[0] == torch.device("cuda", 1)


@pytest.mark.parametrize("name", ["cuda", "gpu", "", "cuda:0"])
def test_a_device_that_is_not_here_is_refused_with_what_is(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"^device must be auto or one of cpu on this machine; got {name!r}$"):
        pick_device(name)


@pytest.mark.skipif(not measure._RESET.exists(), reason="this kernel cannot reset a peak")
def test_the_memory_a_call_adds_is_its_own_and_not_an_earlier_ones():
    torch.ones(256 * MIB // 4)
    assert 50 * MIB < added_memory(lambda: torch.ones(64 * MIB // 4)) < 80 * MIB


def test_work_on_a_gpu_is_waited_for_before_the_clock_starts_and_before_it_stops(monkeypatch):
    done, allocated = [], [5, 12]
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: done.append("waited"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: done.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: allocated.pop(0))
    call_times(lambda: done.append("called"), torch.device("cuda"), least_seconds=0.0)
    assert done == ["waited", "called", "waited", "called", "waited"]
    done.clear()
    assert added_memory(lambda: done.append("called"), torch.device("cuda")) == 7
    assert done == ["waited", "reset", "called", "waited"]
    call_times(lambda: done.clear(), least_seconds=0.0)
    assert done == []


def test_calls_are_timed_twice_at_least_and_no_longer_than_asked():
    calls = []
    assert len(call_times(lambda: calls.append(1), least_seconds=0.0)) == 2 == len(calls)
    assert len(call_times(lambda: None, least_seconds=1e9, most_repeats=5)) == 5
    assert all(seconds >= 0.01 for seconds in call_times(lambda: time.sleep(0.01), least_seconds=0.03))
