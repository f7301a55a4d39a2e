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
from snakemake.common import get_appdirs

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
    snakefile: {snakefile}
    config: config
    prefix: "cells"

use rule * from rnncells as rc_*

rule all:
    default_target: True
    input:
        rules.rc_all.input,
"""


def snakemake(folder: Path, *arguments: str, library: Path | None = None, code: int = 0) -> str:
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
    assert done.returncode == code, done.stdout
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


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """The package as pip installs it, without its workflow."""
    folder = tmp_path_factory.mktemp("library")
    source, built = folder / "source", folder / "wheel"
    source.mkdir()
    for name in ("src", "README.md", "LICENSE", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "-w", built, source]
    subprocess.run([*pip, *wheel], check=True)
    install = ["install", "--no-deps", "--target", folder / "installed", *built.glob("*.whl")]
    subprocess.run([*pip, *install], check=True)
    return folder / "installed"


def workflow_alone(clone: Path, folder: Path) -> str:
    """The workflow in a folder without the library's source."""
    for name in ("workflow", "envs"):
        shutil.copytree(clone / name, folder / name)
    return repr(str(folder / "workflow/Snakefile"))


def released_workflow(clone: Path, folder: Path) -> str:
    """A tag of a repository on GitHub, of which Snakemake has a copy already."""
    workflow_alone(clone, folder)
    git = ["git", "-C", folder, "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init"], ["add", "."], ["commit", "-m", "release"], ["tag", "v1.0"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    copy = user_cache() / "snakemake/source-cache/snakemake-git-cache/github.com/me/rnncells"
    subprocess.run(["git", "clone", "--quiet", "--bare", folder, copy], check=True)
    return "github('me/rnncells', path='workflow/Snakefile', tag='v1.0')"


def user_cache() -> Path:
    """Where Snakemake keeps what it fetches."""
    return Path(get_appdirs().user_cache_dir)


@pytest.mark.parametrize("source", [workflow_alone, released_workflow])
def test_as_a_module_with_the_installed_package(source, clone, library, tmp_path, monkeypatch):
    """Rules with a prefix in their names, and files with one in theirs."""
    # A cache of the test's own, but for the compiled kernels.
    kernels = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "rnncells"
    kernels.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/rnncells").symlink_to(kernels)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    here = tmp_path / "mine"
    (here / "config").mkdir(parents=True)
    (here / "config/mine.yaml").write_text(yaml.safe_dump(CONFIG))
    snakefile = source(clone, tmp_path / "fetched")
    (here / "Snakefile").write_text(MODULE.format(snakefile=snakefile))
    said = snakemake(here, library=library)
    assert "rule rc_train:" in said
    results = here / "cells/results"
    pd.testing.assert_frame_equal(summary(results), summary(clone / "results"))
    assert "Nothing to be done" in snakemake(here, library=library)
    next(results.rglob("seeds=0-1/metrics.parquet")).unlink()
    assert "rule rc_train:" in snakemake(here, "--dry-run", library=library)
    figure = results / "figures/copy/scores.pdf"
    figure.write_bytes(figure.read_bytes()[:-9])
    refused = snakemake(here, library=library, code=1)
    name = figure.relative_to(here)
    assert f"{name}: is damaged (it is cut off); delete it and give the same command" in refused
