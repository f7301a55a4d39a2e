"""GPUs are shared by lock files: never two jobs on one device. The devices here are names."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

from rnncells.jobs import gpu as lease
from rnncells.jobs.gpu import DeviceError, chosen_devices, leased, listed_devices

LISTING = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-bbbb-2)
  MIG 3g.40gb     Device  0: (UUID: MIG-cccc-3)
  MIG 3g.40gb     Device  1: (UUID: MIG-GPU-bbbb-2/2/0)
GPU 2: NVIDIA A100 (UUID: GPU-aabb-4)
"""
GPUS = ["GPU-aaaa-1", "GPU-bbbb-2", "GPU-aabb-4"]


def test_the_drivers_list_is_read():
    assert listed_devices(LISTING) == [
        "GPU-aaaa-1",
        "MIG-cccc-3",
        "MIG-GPU-bbbb-2/2/0",
        "GPU-aabb-4",
    ]
    assert listed_devices("No devices found.\n") == []


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, GPUS),
        ("0", GPUS[:1]),
        ("2,0", [GPUS[2], GPUS[0]]),
        ("1, 2", GPUS[1:]),
        ("GPU-b", GPUS[1:2]),
        ("GPU-aa", []),  # there are two of them
        ("0,7,1", GPUS[:1]),  # as for CUDA, an unknown device ends the list
        ("0,-1,1", GPUS[:1]),
        ("0,0", GPUS[:1]),
        ("", []),
        ("NoDevFiles", []),
        ("1" * 5000, []),
    ],
)
def test_a_choice_that_was_made_before_is_respected(visible, expected):
    assert chosen_devices(GPUS, visible) == expected


def test_without_devices_only_auto_and_cpu_run(tmp_path, monkeypatch):
    monkeypatch.setenv(lease.VISIBLE, "0")
    for device in ("auto", "cpu"):
        with leased(device, lambda: [], tmp_path) as name:
            assert name is None
            # What is not leased is not used.
            assert os.environ[lease.VISIBLE] == ("0" if device == "cpu" else "")
    assert os.environ[lease.VISIBLE] == "0"
    with pytest.raises(DeviceError, match=r"^device is 'cuda', but no GPU .* allowed: auto, cpu$"):
        leased("cuda", lambda: [], tmp_path).__enter__()
    with leased("cpu", lambda: pytest.fail("asked for devices"), tmp_path):
        pass


def test_a_machine_without_the_drivers_tool_has_no_devices(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lease.visible_devices() == []
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{LISTING}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv(lease.VISIBLE, "3,1")
    assert lease.visible_devices() == ["GPU-aabb-4", "MIG-cccc-3"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert lease.visible_devices() == []


@pytest.mark.parametrize("before", [None, "0,1"])
def test_a_job_sees_its_own_device_alone(tmp_path, monkeypatch, before):
    monkeypatch.delenv(lease.VISIBLE, raising=False)
    if before is not None:
        monkeypatch.setenv(lease.VISIBLE, before)
    with leased("auto", lambda: ["a/0", "b"], tmp_path) as first:
        assert os.environ[lease.VISIBLE] == first == "a/0"
        with leased("cuda", lambda: ["a/0", "b"], tmp_path) as second:
            assert os.environ[lease.VISIBLE] == second == "b"
    assert os.environ.get(lease.VISIBLE) == before
    assert list(tmp_path.iterdir()) == []


def start(folder, work):
    """Start a process that leases one of two devices and then does ``work``."""
    code = f"""
        import os, sys, time
        from rnncells.jobs import gpu as lease
        lease.PAUSE = 0.02
        with lease.leased("cuda", lambda: ["x", "y"], {str(folder)!r}) as name:
            assert os.environ["CUDA_VISIBLE_DEVICES"] == name
            print(name, flush=True)
            {work}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )


def test_never_two_processes_on_one_device(tmp_path):
    """Each one makes a folder named after its device, which fails if another one has it."""
    busy = tmp_path / "busy"
    busy.mkdir()
    work = f"place = {str(busy)!r} + '/' + name; os.mkdir(place); time.sleep(0.1); os.rmdir(place)"
    processes = [start(tmp_path, work) for _ in range(6)]
    names = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    assert set(names) == {"x", "y"}
    assert list(tmp_path.iterdir()) == [busy]


def test_a_killed_process_frees_its_device(tmp_path):
    holders = [start(tmp_path, "time.sleep(60)") for _ in range(2)]
    held = [process.stdout.readline().strip() for process in holders]
    assert sorted(held) == ["x", "y"]
    third = start(tmp_path, "pass")
    time.sleep(0.5)
    assert third.poll() is None  # all are taken
    holders[0].kill()
    assert third.communicate(timeout=20)[0].strip() == held[0]
    holders[1].kill()
    for process in holders:
        process.communicate()
