"""The workflow from other folders, and as a module of another: the same tables come out."""

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = {
    "device": "cpu",
    "studies": {
        "copy": {
            "task": "copy_first_input",
            "cells": ["GRU"],
            "lengths": [5],
            "hidden_sizes": [6],
            "seeds": 2,
            "training": {"train_sequences": 200, "test_sequences": 50, "epochs": 2},
        }
    },
}
MODULE = """
configfile: "config/mine.yaml"

module rnncells:
    snakefile: "{snakefile}"
    config: config
    prefix: "cells"

use rule * from rnncells as rc_*

rule all:
    default_target: True
    input:
        rules.rc_all.input,
"""


def snakemake(folder: Path, *arguments: str, library: Path | None = None) -> str:
    """Call Snakemake in a folder; ``library`` is where packages are installed besides the usual."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if library:
        environment["PYTHONPATH"] = str(library)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def summary(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "tables/copy/summary.parquet")


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A clone with a small default configuration, in which the workflow has been run."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("src", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
    said = snakemake(folder)
    assert "specific profile workflow/profiles/default" in said
    return folder


@pytest.mark.parametrize("by_option", [False, True])
def test_from_any_folder(clone, tmp_path, by_option):
    """The default configuration and the profile are found beside the Snakefile."""
    snakefile = ["--snakefile", str(clone / "workflow/Snakefile")]
    here = clone.parent if by_option else tmp_path
    directory = ["--directory", str(tmp_path)] if by_option else []
    said = snakemake(here, *snakefile, *directory)
    assert f"profile {clone}/workflow/profiles/default" in said
    pd.testing.assert_frame_equal(summary(tmp_path / "results"), summary(clone / "results"))
    # What a killed Snakemake leaves is made again without asking.
    record = next((tmp_path / "results").rglob("run.json"))
    mark_as_incomplete(tmp_path, record)
    assert "rule train:" in snakemake(here, *snakefile, *directory, "--dry-run")


def mark_as_incomplete(folder: Path, file: Path) -> None:
    """Leave what Snakemake leaves when it is killed while a job makes a file."""
    name = b64encode(str(file.relative_to(folder)).encode(), b"-_").decode()
    marker = folder / ".snakemake/incomplete" / name
    marker.parent.mkdir(exist_ok=True)
    marker.write_text("")


def test_as_a_module_with_the_installed_package(clone, tmp_path):
    """Rules with a prefix in their names, and files with one in theirs."""
    built, library, fetched = (tmp_path / name for name in ("wheel", "library", "fetched"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = tmp_path / "source"
    source.mkdir()
    for name in ("src", "README.md", "LICENSE", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", built, source], check=True
    )
    (wheel,) = built.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", library, wheel], check=True)
    for name in ("workflow", "envs"):  # as Snakemake fetches a released workflow: without src
        shutil.copytree(clone / name, fetched / name)
    here = tmp_path / "mine"
    (here / "config").mkdir(parents=True)
    (here / "config/mine.yaml").write_text(yaml.safe_dump(CONFIG))
    (here / "Snakefile").write_text(MODULE.format(snakefile=fetched / "workflow/Snakefile"))
    said = snakemake(here, library=library)
    assert "rule rc_train:" in said
    results = here / "cells/results"
    pd.testing.assert_frame_equal(summary(results), summary(clone / "results"))
    assert "Nothing to be done" in snakemake(here, library=library)
    next(results.rglob("seeds=0-1/metrics.parquet")).unlink()
    assert "rule rc_train:" in snakemake(here, "--dry-run", library=library)
