"""Every mistake in a configuration is one line that names the key and what is allowed."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from rnncells.study.models import RunSpec
from rnncells.study.plan import read_published, resolve
from rnncells.study.validation import ConfigError

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "src/rnncells/published"


def study(**changes) -> dict:
    base = {
        "task": "copy_first_input",
        "cells": ["GRU"],
        "lengths": [5],
        "hidden_sizes": [4],
    }
    return {"studies": {"a": base | changes}}


def capacity(**changes) -> dict:
    return study(**{"task": "trajectory_generation", "cells": ["TRNN"], **changes})


SEARCH = {"source": "search"}
PUBLISHED_OPTIMA = {"source": "published"}

MISTAKES = {
    "unknown key": (study(lenghts=[3]), ["studies.a: ", "'lenghts' (did you mean 'lengths'?)"]),
    "unknown top key": ({**study(), "devise": "cpu"}, ["'devise'", "device"]),
    "unknown device": ({**study(), "device": "gpu"}, ["device", "'gpu'", "auto, cpu, cuda"]),
    "no studies": ({}, ["'studies'"]),
    "empty studies": ({"studies": {}}, ["studies", "empty"]),
    "study is nothing": ({"studies": {"a": None}}, ["studies.a", "mapping"]),
    "name with a slash": ({"studies": {"a/b": study()["studies"]["a"]}}, ["'a/b'", "slash"]),
    "name with a dot": ({"studies": {"..": study()["studies"]["a"]}}, ["'..'", "letters"]),
    "unknown task": (study(task="sorting"), ["studies.a.task", "'sorting'", "binary_addition"]),
    "unknown cell": (
        study(cells=["GRUU"]),
        ["studies.a.cells", "'GRUU' (did you mean 'GRU'?)", "nBRC"],
    ),
    "misspelt task": (study(task="copy_first"), ["(did you mean 'copy_first_input'?)"]),
    "no such task": (study(task="no.such:Task"), ["studies.a.task", "no.such"]),
    "no class of a task": (study(task="rnncells.tasks.base:Batch"), ["studies.a.task", "Task"]),
    "misspelt parameter": (
        study(cells=["MTRNN"], hyperparameters={"values": {"lr": 0.1, "tau_slwo": 3}}),
        ["(did you mean 'tau_slow'?)"],
    ),
    "seeds in quotes": (study(seeds="2"), ["studies.a.seeds", "'2'", "without quotes, as 2"]),
    "a seed in quotes": (study(seeds=["08"]), ["studies.a.seeds", "without quotes, as 8"]),
    "cell twice": (study(cells=["GRU", "GRU"]), ["studies.a.cells", "twice"]),
    "no such module": (study(cells=["no.such:Cell"]), ["studies.a.cells", "no.such"]),
    "no such class": (study(cells=["rnncells.cells.gru:Nope"]), ["studies.a.cells", "Nope"]),
    "cells as text": (study(cells="GRU"), ["studies.a.cells", "list"]),
    "no cells": (study(cells=[]), ["studies.a.cells", "empty"]),
    "no lengths": (study(lengths=[]), ["studies.a.lengths", "empty"]),
    "negative length": (study(lengths=[-3]), ["studies.a.lengths", "-3", "1"]),
    "zero length": (study(lengths=[0]), ["studies.a.lengths", "0", "1"]),
    "length as text": (study(lengths=["5"]), ["studies.a.lengths", "'5'", "integer"]),
    "length true": (study(lengths=[True]), ["studies.a.lengths", "integer"]),
    "length below 2": (
        study(task="binary_addition", lengths=[1]),
        ["studies.a.lengths", "1", "binary_addition", "2"],
    ),
    "length beyond the points": (
        capacity(lengths=[1201], hyperparameters=SEARCH),
        ["studies.a.lengths", "1201", "1200"],
    ),
    "seeds as text": (study(seeds="three"), ["studies.a.seeds", "'three'", "number of seeds"]),
    "no seeds": (study(seeds=[]), ["studies.a.seeds", "number of seeds"]),
    "zero seeds": (study(seeds=0), ["studies.a.seeds", "number of seeds"]),
    "seed twice": (study(seeds=[1, 1]), ["studies.a.seeds", "different"]),
    "negative seed": (study(seeds=[-1]), ["studies.a.seeds", "0"]),
    "seeds with gaps in one job": (
        study(seeds=list(range(0, 200, 2)), seeds_per_job=100),
        ["studies.a.seeds", "name", "200", "seeds_per_job"],
    ),
    "seeds_per_job": (study(seeds_per_job=0), ["studies.a.seeds_per_job", "1"]),
    "training of another task": (
        study(training={"iterations": 5}),
        ["studies.a.training", "'iterations'", "epochs"],
    ),
    "wrong type": (study(training={"epochs": 1.5}), ["studies.a.training.epochs", "integer"]),
    "not a number": (
        study(training={"stop_below": float("nan")}),
        ["studies.a.training.stop_below", "finite"],
    ),
    "1e-3": (
        study(hyperparameters={"values": {"lr": "1e-3"}}),
        ["studies.a.hyperparameters.values.lr", "1.0e-3"],
    ),
    "learning rate 0": (
        study(hyperparameters={"values": {"lr": 0}}),
        ["studies.a.hyperparameters.values.lr", "above 0"],
    ),
    "no learning rate": (
        study(hyperparameters={"values": {}}),
        ["studies.a.hyperparameters.values", "'lr'"],
    ),
    "value of no parameter": (
        study(hyperparameters={"values": {"lr": 0.1, "tau": 3}}),
        ["studies.a.hyperparameters.values", "'tau'", "lr"],
    ),
    "no p": (
        capacity(hyperparameters={"values": {"lr": 0.1}}),
        ["studies.a.hyperparameters.values", "'p'"],
    ),
    "unknown source": (
        study(hyperparameters={"source": "guess"}),
        ["studies.a.hyperparameters.source", "'guess'", "config, published, search"],
    ),
    "nothing published": (
        capacity(cells=["BRC"], hidden_sizes=[60], hyperparameters={"source": "published"}),
        ["studies.a.hyperparameters.source", "BRC", "none"],
    ),
    "size not published": (
        capacity(cells=["GRU"], hidden_sizes=[50], hyperparameters={"source": "published"}),
        ["studies.a.hyperparameters.source", "GRU", "30, 40, 60"],
    ),
    "published without a learning rate": (
        capacity(cells=["ESN"], hidden_sizes=[1000], hyperparameters={"source": "published"}),
        ["studies.a.hyperparameters.source", "ESN", "lr", "ridge"],
    ),
    "published for fewer trajectories": (
        capacity(
            cells=["GRU"],
            hidden_sizes=[60],
            data={"trajectories": 20},
            hyperparameters={"source": "published"},
        ),
        ["studies.a.hyperparameters.source", "40.84", "20"],
    ),
    "published for another task": (
        study(hidden_sizes=[60], hyperparameters={"source": "published"}),
        ["studies.a.hyperparameters.source", "trajectory_generation"],
    ),
    "nothing published for another": (
        capacity(hidden_sizes=[60], hyperparameters={**PUBLISHED_OPTIMA, "optimum_of": "PC-RNNV"}),
        ["studies.a.hyperparameters.optimum_of", "(did you mean 'PC-RNN-V'?)", "MTRNN"],
    ),
    "another's optimum lacks a parameter": (
        capacity(
            cells=["MTRNN"],
            hidden_sizes=[60],
            hyperparameters={**PUBLISHED_OPTIMA, "optimum_of": "GRU"},
        ),
        ["studies.a.hyperparameters.source", "GRU", "tau_slow, tau_fast, which MTRNN needs"],
    ),
    "another's optimum without the published ones": (
        capacity(hyperparameters={"source": "search", "optimum_of": "GRU"}),
        ["studies.a.hyperparameters.optimum_of", "'published'", "TRNN is 'search'"],
    ),
    "bounds in the wrong order": (
        study(hyperparameters={"source": "search", "search": {"space": {"lr": [1, 0.1]}}}),
        ["studies.a.hyperparameters.search.space.lr", "ascending"],
    ),
    "bounds of hundreds of digits": (
        study(hyperparameters={"source": "search", "search": {"space": {"lr": [1, 1e200]}}}),
        ["studies.a.hyperparameters.search.space.lr", "1e+99"],
    ),
    "a file name that no file can have": (
        capacity(data={"file": "x" * 300 + ".npy"}, hyperparameters=SEARCH),
        ["studies.a.data.file", "there is no file"],
    ),
    "log bounds at 0": (
        study(hyperparameters={"source": "search", "search": {"space": {"lr": [0, 0.1]}}}),
        ["studies.a.hyperparameters.search.space.lr", "above 0"],
    ),
    "more sequences than there are": (
        capacity(hyperparameters={"source": "search", "search": {"space": {"p": [1, 300]}}}),
        ["studies.a.hyperparameters.search.space.p", "300", "250"],
    ),
    "bounds of no parameter": (
        study(hyperparameters={"source": "search", "search": {"space": {"momentum": [0, 1]}}}),
        ["studies.a.hyperparameters.search.space", "'momentum'", "lr"],
    ),
    "missing data file": (
        capacity(data={"file": "no/such.npy"}, hyperparameters=SEARCH),
        ["studies.a.data.file", "no/such.npy"],
    ),
    "data for a task without": (study(data={"trajectories": 3}), ["studies.a.data"]),
    "option of another cell": (
        study(per_cell={"GRU": {"options": {"factors": 3}}}),
        ["studies.a.per_cell.GRU.options", "'factors'", "none"],
    ),
    "hyperparameter as option": (
        study(cells=["TRNN"], per_cell={"TRNN": {"options": {"tau": 3}}}),
        ["studies.a.per_cell.TRNN.options.tau", "hyperparameter"],
    ),
    "per_cell of no cell": (study(per_cell={"GUR": {}}), ["studies.a.per_cell", "'GUR'"]),
    "per_cell key": (
        study(per_cell={"GRU": {"trainig": {}}}),
        ["studies.a.per_cell.GRU", "'trainig'", "training"],
    ),
    "per_cell training key": (
        study(per_cell={"GRU": {"training": {"epoch": 1}}}),
        ["studies.a.per_cell.GRU.training", "'epoch'", "epochs"],
    ),
    "ridge for a trained cell": (
        study(training={"readout": "ridge"}),
        ["studies.a.training.readout", "GRU", "gradient"],
    ),
    "ridge without a squared error": (
        study(task="binary_addition", cells=["ESN"], training={"readout": "ridge"}),
        ["studies.a.training.readout", "binary_addition", "gradient"],
    ),
    "feedback into causes": (
        capacity(cells=["PC-RNN-HC-A"], training={"feedback": "teacher"}, hyperparameters=SEARCH),
        ["studies.a.training.feedback", "PC-RNN-HC-A", "none"],
    ),
    "test shorter than training": (
        study(task="binary_addition", lengths=[5], training={"test_length": 2}),
        ["studies.a.training.test_length", "2"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_key(name):
    config, fragments = MISTAKES[name]
    before = copy.deepcopy(config)
    with pytest.raises(ConfigError) as caught:
        resolve(config, PUBLISHED)
    line = str(caught.value)
    assert "\n" not in line
    for fragment in fragments:
        assert fragment in line
    assert repr(config) == repr(before)


def plan_of_file(name):
    return resolve(yaml.safe_load((ROOT / "config" / name).read_text()), PUBLISHED)


def test_the_configurations_that_come_with_the_project_are_valid():
    for file in (ROOT / "config").glob("*.yaml"):
        cells = {cell for part in plan_of_file(file.name).values() for cell in part.cells}
        # Only the cells that published searches and baselines are about.
        fewer = {"searches.yaml": 14, "cogscale.yaml": 3}
        assert len(cells) == fewer.get(file.name, 16)


def test_paper_has_the_published_protocols():
    plan = plan_of_file("paper.yaml")
    shown, whole = (
        plan[name].cells["nBRC"] for name in ("copy-first-input", "copy-first-input-60-epochs")
    )
    assert (shown.training.train_sequences, whole.training.train_sequences) == (45000, 45000)
    assert (shown.training.epochs, whole.training.epochs) == (12, 60)
    assert (shown.lengths, whole.lengths) == ([5, 100, 300], [5, 100])
    addition = plan["binary-addition"].cells["LSTM"].training
    assert (addition.epochs_per_length, addition.samples_per_epoch) == (15, 10000)
    cells = plan["capacity"].cells
    assert {cell.source for cell in cells.values()} == {"published"}
    assert cells["LSTM"].hyperparameters["hidden=40"] == {"lr": 0.00831764, "p": 5.98}
    assert cells["TRNN"].hyperparameters == cells["PC-RNN-V"].hyperparameters
    assert cells["sRNN"].hyperparameters["hidden=60"] == {
        name: value
        for name, value in cells["PC-RNN-V"].hyperparameters["hidden=60"].items()
        if name != "tau"
    }
    assert len(cells["GRU"].seeds) == 10


def test_searches_have_the_published_protocol():
    cells = plan_of_file("searches.yaml")["capacity-searches"].cells
    space = cells["PC-RNN-GC"].search.space
    assert {name: (d.low, d.high) for name, d in space.items()} == {
        "lr": (1e-4, 1.0),
        "p": (1, 250),
        "tau": (1.0, 100.0),
        "alpha_h_prime": (1e-3, 10.0),
    }
    assert {name: d.first for name, d in space.items()} == {
        "lr": 0.02,
        "p": 5,
        "tau": 10,
        "alpha_h_prime": 0.03,
    }
    assert set(cells["ESN"].search.space) == {"p", "tau", "connectivity", "sigma"}
    assert cells["ESN"].search.configurations == 500
    assert cells["LSTM"].search.configurations == 300
    assert cells["LSTM"].search.tries == 2
    assert (cells["LSTM"].search.surrogate, cells["LSTM"].search.evaluate) == ("published", "grid")
    assert len(cells["GRU"].seeds) == 10


def test_searches_train_what_the_published_optima_are_trained_with():
    ours, searched = plan_of_file("paper.yaml"), plan_of_file("searches.yaml")
    for cell, plan in searched["capacity-searches"].cells.items():
        other = ours["capacity"].cells[cell]
        assert plan.training == other.training
        assert (plan.lengths, plan.hidden_sizes) == (other.lengths, other.hidden_sizes)
        learned = "learned" if cell in ("AntisymmetricRNN", "PC-RNN-GC") else "fixed"
        assert plan.training.initial_state == learned


def test_published_optima_become_hyperparameters():
    config = capacity(
        cells=["PC-RNN-HC-A"], hidden_sizes=[30, 60], hyperparameters={"source": "published"}
    )
    plan = resolve(config, PUBLISHED)["a"].cells["PC-RNN-HC-A"]
    assert plan.hyperparameters["hidden=60"] == {"p": 60.76, "lr": 0.017378, "tau": 4.7863}
    assert plan.hyperparameters["hidden=30"]["p"] == 10.96
    assert len(read_published(PUBLISHED / "capacity_optima.csv")) == 37


def test_default_bounds_shrink_to_the_data():
    plan = resolve(capacity(data={"trajectories": 12}, hyperparameters=SEARCH), PUBLISHED)
    p = plan["a"].cells["TRNN"].search.space["p"]
    assert (p.low, p.high) == (1, 12)


def test_a_search_starts_where_it_is_told_or_where_the_published_one_did():
    def first(cell, settings=None, **others):
        config = capacity(
            cells=[cell],
            hyperparameters={"source": "search", "search": {"first": settings or {}}},
            **others,
        )
        space = resolve(config, PUBLISHED)["a"].cells[cell].search.space
        return {name: dimension.first for name, dimension in space.items()}

    assert first("MTRNN") == {"lr": 0.02, "p": 3, "tau_slow": 20, "tau_fast": 10}
    assert first("MTRNN", {"p": 9})["p"] == 9
    assert first("MTRNN", {"p": 9})["tau_slow"] == 20
    assert first("TRNN") == {"lr": 0.01, "p": 5, "tau": 10}  # there is no published search
    ridge = {"ESN": {"training": {"readout": "ridge"}}}
    assert first("ESN", per_cell=ridge) == {"p": 2, "tau": 10, "connectivity": 0.1, "sigma": 1}
    config = study(cells=["LSTM"], hyperparameters={"source": "search"})
    search = resolve(config, PUBLISHED)["a"].cells["LSTM"].search  # copy_first_input
    assert search.space["lr"].first == 0.01


def test_what_becomes_of_a_search_is_no_setting_of_its_proposals():
    config = capacity(hyperparameters={"source": "search", "search": {"evaluate": "refined"}})
    search = resolve(config, PUBLISHED)["a"].cells["TRNN"].search
    assert search.evaluate == "refined"
    assert search.settings() == {
        "space": search.model_dump()["space"],
        "tries": 2,
        "batch": 1,
        "initial": 10,
        "seed": 0,
        "surrogate": "robust",
    }


def test_per_cell_settings_are_laid_over_those_of_the_study():
    config = study(
        cells=["GRU", "nBRC"],
        training={"epochs": 3},
        per_cell={"nBRC": {"training": {"batch_size": 7}, "seeds": [4, 9]}},
    )
    plan = resolve(config, PUBLISHED)["a"].cells
    assert (plan["nBRC"].training.epochs, plan["nBRC"].training.batch_size) == (3, 7)
    assert (plan["GRU"].training.epochs, plan["GRU"].training.batch_size) == (3, 100)
    assert (plan["nBRC"].seeds, plan["GRU"].seeds) == ([4, 9], [0, 1, 2, 3, 4])


def test_a_run_specification_holds_all_that_is_trained():
    config = study(cells=["ESN"], per_cell={"ESN": {"options": {"spectral_radius": 0.9}}})
    spec = resolve(config, PUBLISHED)["a"].spec("ESN", 5, "hidden=4", 1)
    assert RunSpec(**json.loads(json.dumps(spec.model_dump()))) == spec
    assert (spec.options, spec.training.epochs) == ({"spectral_radius": 0.9}, 60)
    with pytest.raises(ValidationError, match="frozen"):
        spec.length = 6
    with pytest.raises(ValidationError, match=r"unknown key 'epoch' \(did you mean 'epochs'\?\)"):
        RunSpec(**spec.model_dump() | {"training": {"epoch": 3}})


# Sizes, grids, and studies of several settings


def plan_of(**changes):
    return resolve(study(**changes), PUBLISHED)


def test_parameters_in_place_of_hidden_sizes():
    plan = plan_of(hidden_sizes=None, parameters=[1000, 10000])["a"]
    assert plan.cells["GRU"].sizes == ["parameters=1000", "parameters=10000"]
    spec = plan.spec("GRU", 5, "parameters=1000", 1)
    assert (spec.hidden_size, spec.parameters) == (None, 1000)
    own = plan_of(hidden_sizes=None, parameters=[9], per_cell={"GRU": {"hidden_sizes": [3]}})
    assert own["a"].cells["GRU"].sizes == ["hidden=3"]
    with pytest.raises(ConfigError, match=r"a\.parameters: there are hidden_sizes too"):
        plan_of(parameters=[1000])
    with pytest.raises(ConfigError, match=r"a: the key 'hidden_sizes' \(or 'parameters'\)"):
        plan_of(hidden_sizes=None)


def test_the_combinations_of_a_grid():
    grid = {"source": "grid", "grid": {"lr": [0.1, 0.2], "tau": [3, 4]}, "values": {"gamma": 0.5}}
    cells = plan_of(cells=["AntisymmetricRNN", "GRU"], hyperparameters=grid)["a"].cells
    assert cells["GRU"].grid == [{"lr": 0.1}, {"lr": 0.2}]
    assert cells["AntisymmetricRNN"].grid == [
        {"lr": lr, "tau": tau, "gamma": 0.5} for lr in (0.1, 0.2) for tau in (3, 4)
    ]
    # A single combination is none to choose from.
    one = {"source": "grid", "grid": {"lr": [0.1]}}
    cell = plan_of(hyperparameters=one)["a"].cells["GRU"]
    assert (cell.source, cell.hyperparameters) == ("config", {"hidden=4": {"lr": 0.1}})
    for bad, said in (({"lr": [0.1, -1]}, "grid.lr: -1"), ({"taau": [1]}, "grid: no cell")):
        with pytest.raises(ConfigError, match=rf"a\.hyperparameters\.{said}"):
            plan_of(hyperparameters={"source": "grid", "grid": bad})


def test_a_study_for_each_setting():
    each = {"batch_size": [5, 10], "epochs": [1, 2]}
    plan = plan_of(each=each, training={"train_sequences": 20})
    assert list(plan) == ["a-5-1", "a-5-2", "a-10-1", "a-10-2"]
    training = plan["a-10-1"].cells["GRU"].training
    assert (training.batch_size, training.epochs, training.train_sequences) == (10, 1, 20)
    with pytest.raises(ConfigError, match=r"a\.each: epochs is in `training` too"):
        plan_of(each=each, training={"epochs": 3})
    with pytest.raises(ConfigError, match=r"a\.each: 'a-0\.5' is not a valid name"):
        plan_of(each={"stop_below": [0.5]})
    with pytest.raises(ConfigError, match=r"a\.training.*'epoch'"):
        plan_of(each={"epoch": [1]})


def test_lengths_may_be_the_tasks_own():
    plan = plan_of(lengths=None)["a"]
    assert plan.cells["GRU"].lengths == [5, 100, 300]
