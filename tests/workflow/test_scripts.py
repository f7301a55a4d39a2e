"""Each script of the workflow alone, on an object like the one that Snakemake gives it."""

import importlib.util
import warnings
from pathlib import Path

import pandas as pd
import pytest

from rnncells.study.plan import resolve
from rnncells.study.protocol import departures, describe
from tests.mock import logging_kept, mock_snakemake
from tests.tiny import RUN, configuration

ROOT = Path(__file__).parents[2]
CONFIG = configuration(
    hyperparameters={
        "source": "search",
        "search": {"configurations": 4, "initial": 2, "batch": 1, "space": {"p": [1, 4]}},
    },
    training={"iterations": 5},
)


@pytest.fixture(autouse=True)
def logging_as_before():
    with logging_kept():
        yield


def run(script: str, outputs: dict, inputs: dict | None = None, params: dict | None = None) -> None:
    """Call ``main`` of a script; a failed job would be a SystemExit."""
    file = ROOT / f"workflow/scripts/{script}.py"
    spec = importlib.util.spec_from_file_location(f"script_{script}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in outputs.values():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    axes = {"study": "tiny", "cell": "TRNN", "length": "6", "size": "hidden=4", "layers": "1"}
    mock = mock_snakemake(script, outputs, inputs, params, **axes, seeds="0-1", figure="capacity")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a surrogate of four points has much to warn of
        module.main(mock)
    for path in outputs.values():
        assert Path(path).stat().st_size
    assert "process" in Path(f"logs/{script}.log").read_text()


def test_every_script_runs_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = resolve(CONFIG, ROOT / "src/rnncells/published")["tiny"]
    search, protocol = plan.cells["TRNN"].search, describe("tiny", plan)
    spec = plan.spec("TRNN", 6, "hidden=4", 1).model_dump()
    searching = {
        "configurations": search.configurations,
        "space": search.settings()["space"],
        "extraction": {"surrogate": "robust", "evaluate": "grid"},
    }
    data = {"data": "data.npy"}

    run("data", data, params={"task": plan.task, "data": plan.data.model_dump()})
    found = {"observations": "observations.csv", "run": f"search/{RUN}/search.json"}
    settings = {"spec": spec, "settings": search.settings(), "code": {"cpu": "x"}}
    run("search", found, data, searching | settings)
    assert len(pd.read_csv("observations.csv")) == 4

    optimum = {
        "optimum": "optimum.json",
        "surrogate": "s.parquet",
        "run": f"search/{RUN}/extraction.json",
    }
    run("optimum", optimum, {"observations": "observations.csv"}, searching)

    grid = {"table": "grid.csv", "optimum": "grid_optimum.json", "run": f"grid/{RUN}/grid.json"}
    combinations = [{"lr": rate, "p": 2, "tau": 5.0} for rate in (0.01, 0.1)]
    gridding = {"spec": spec, "grid": combinations, "seeds": [0, 1], "code": {"cpu": "x"}}
    run("grid", grid, data, gridding)
    assert len(pd.read_csv("grid.csv")) == 4

    trained = {name: f"run/{RUN}/seeds=0-1/{name}.parquet" for name in ("metrics", "examples")}
    trained |= {"run": f"run/{RUN}/seeds=0-1/run.json"}
    settings = {"settings": {"spec": spec, "hyperparameters": None, "code": {"cpu": "x"}}}
    run("train", trained, data | {"optimum": "optimum.json"}, settings)
    assert set(pd.read_parquet(trained["metrics"])["seed"]) == {0, 1}

    names = ("metrics", "examples", "published", "runs", "summary", "comparisons", "provenance")
    tables = {name: f"tables/{name}.parquet" for name in names}
    tables |= {f"{name}_csv": f"tables/{name}.csv" for name in names[3:]}
    pages = ("summary", "comparisons", "provenance")
    tables |= {f"{name}_page": f"tables/{name}.html" for name in pages}
    runs = {key + "s" * (key == "run"): [file] for key, file in trained.items()}
    task = {key: protocol[key] for key in ("metric", "solved")}
    task |= {"published": {"lengths": [60], "layers": [1]}}
    records = {"searches": [found["run"], optimum["run"], grid["run"]]}
    records |= {"published": str(ROOT / "src/rnncells/published/capacity_optima.csv")}
    run("aggregate", tables, runs | records, {"task": task})
    assert sorted(pd.read_csv("tables/provenance.csv")["rule"]) == [
        *("aggregate", "grid", "optimum", "search", "train")
    ]

    drawn = {kind: f"figures/figure.{kind}" for kind in ("pdf", "png")}
    given = {"module": "rnncells.figures.capacity", "function": "draw", "protocol": protocol}
    run("figure", drawn, {name: tables[name] for name in ("summary", "runs", "published")}, given)
    files = {key: optimum[key] for key in ("optimum", "surrogate")}
    run("figure_search", drawn, files | {"observations": "observations.csv"},
        searching | {"protocol": protocol})  # fmt: skip
    run("index", {"page": "figures/README.md"}, {"figures": [*drawn.values()]},
        {"protocol": protocol})  # fmt: skip
    study = {"name": "tiny", "task": plan.task, "departures": departures(plan), "conditions": "x"}
    card = {
        "table": "scorecard.csv",
        "table_page": "s.html",
        "page": "README.md",
        "pdf": "s.pdf",
        "png": "s.png",
    }
    published = ROOT / "src/rnncells/published"
    rows = {"metrics": [], "published": str(published / "cogscale_baseline.csv")}
    run("baseline", {"table": "baseline.csv"}, rows, {"studies": {}})
    read = {name: [tables[name]] for name in ("metrics", "provenance")}
    read |= {"claims": str(published / "claims.csv"), "baseline": "baseline.csv"}
    run("scorecard", card, read, {"studies": [study]})
    assert set(pd.read_csv("scorecard.csv")["verdict"]) == {"not run", "not comparable"}
    over = {"cells": "c.csv", "cells_page": "c.html", "improvements": "i.csv"}
    over |= {"improvements_page": "i.html"}
    run("across_tasks", over, {"runs": [tables["runs"]]}, {"studies": ["tiny"]})
    run("cost", {"table": "cost.csv"} | drawn, {"provenance": [tables["provenance"]]})
    scale = {"task": plan.task, "best": 5.0, "parameters": 0, "training": protocol["training"]}
    every = {"runs": [tables["runs"]], "summaries": [tables["summary"]]}
    over = {"runs": "overview.csv", "runs_page": "o.html"}
    over |= {"table": "ranking.csv", "pairs": "pairs.csv"}
    run("summary", over | drawn, every,
        {"studies": {"tiny": scale}, "published": str(published)})  # fmt: skip
    ran = {file.stem for file in Path("logs").glob("*.log")}
    assert ran == {file.stem for file in (ROOT / "workflow/scripts").glob("*.py")}
