"""The files that describe the environment agree."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def lock() -> dict[str, str]:
    text = (ROOT / "envs/requirements.lock").read_text()
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", text, re.M))
    return {name.lower().replace("_", "-"): version for name, version in pins.items()}


def test_the_conda_environment_has_the_versions_of_the_lock():
    parts = yaml.safe_load((ROOT / "envs/environment.yaml").read_text())["dependencies"]
    pip = next(part["pip"] for part in parts if isinstance(part, dict))
    pins = [
        re.fullmatch(r"([\w-]+)={1,2}([\d.]+)", part) for part in parts if isinstance(part, str)
    ]
    pins += [re.fullmatch(r"([\w-]+)==([\d.]+)", part) for part in pip]
    compared = 0
    for pin in filter(None, pins):
        name = {"pytorch": "torch"}.get(pin[1], pin[1])
        if name != "python":
            assert lock()[name] == pin[2], name
            compared += 1
    assert compared >= 15


def test_the_lock_pins_every_direct_dependency():
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("dependencies") : text.index("[tool")]
    names = re.findall(r'"([a-z0-9-]+)>=', block)
    assert len(names) > 12
    # Triton is large, and only its own tests and users of a GPU need it.
    assert [name for name in names if name not in lock()] == ["triton"]
    assert "requirements.lock" in (ROOT / "envs/rnncells.def").read_text()
