"""The figures: what they draw, read back from their artists."""

import itertools
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from rnncells.figures import all as figures
from rnncells.results.statistics import CONFIGURATION, summarise

PROTOCOL = {
    "study": "mine",
    "task": "some_task",
    "seeds": 3,
    "training": {"stop_below": 0.1, "threshold": 0.1},
    "reduced": [],
    "source": "hyperparameters: published",
}
REDUCED = PROTOCOL | {"reduced": ["40 of 300 search configurations", "3 of 5 seeds"]}


def rows(metric, axis, position, value, **configuration):
    where = {"cell": "GRU", "length": 60, "hidden": 30, "layers": 1, "seed": 0} | configuration
    return pd.DataFrame(
        where | {"metric": metric, "axis": axis, "position": position, "value": value}
    )


def losses(curves, **configuration):
    """Training losses, a seed per curve, and finite final errors."""
    tables = []
    for seed, curve in enumerate(curves):
        steps = range(1, len(curve) + 1)
        tables.append(rows("train_loss", "step", steps, curve, seed=seed, **configuration))
        final = [float(curve[-1])]
        tables.append(rows("final_test_mse", "none", [0], final, seed=seed, **configuration))
    return pd.concat(tables)


def additions(cells=("LSTM", "nBRC"), layers=(1, 2), hidden=(100,), lengths=(20,), seeds=3):
    tables = [
        rows(
            "accuracy",
            "test_length",
            range(3, 61),
            np.linspace(1, 0.5 + 0.1 * seed, 58),
            **dict(zip((*CONFIGURATION, "seed"), (cell, length, size, depth, seed), strict=True)),
        )
        for cell, depth, size, length, seed in itertools.product(
            cells, layers, hidden, lengths, range(seeds)
        )
    ]
    metrics = pd.concat(tables)
    runs = metrics[[*CONFIGURATION, "seed"]].drop_duplicates().assign(diverged=False)
    return summarise(metrics, runs)


def capacities(sizes, seeds=3, diverged=()):
    """Summary and runs: cell number k learns hidden / 10 + k + seed of 40 sequences."""
    metrics, runs = [], []
    for k, (cell, hidden) in enumerate(sizes.items()):
        for size, seed in itertools.product(hidden, range(seeds)):
            where = {"cell": cell, "hidden": size, "seed": seed}
            learned = 0 if (cell, seed) in diverged else size / 10 + k + seed
            metrics.append(rows("sequences", "none", [0], learned, **where))
            where |= {"length": 60, "layers": 1, "p": 40.2, "score": 2 * learned - 40}
            runs.append(where | {"diverged": (cell, seed) in diverged})
    runs = pd.DataFrame(runs)
    return summarise(pd.concat(metrics), runs), runs


def generated(cells=("GRU",), errors=(0.05, 0.3), hidden=30):
    shape = dict(zip(CONFIGURATION[1:], (60, hidden, 1), strict=True))
    where = [shape | {"cell": cell} for cell in cells]
    examples = [
        {**w, "seed": 0, "sample": k, "step": t, "coordinate": c, "target": t / 60, "prediction": e}
        for w in where
        for k, e in enumerate(errors)
        for t in range(60)
        for c in (0, 1)
    ]
    metrics = [rows("sequence_error", "sequence", range(len(errors)), errors, **w) for w in where]
    return pd.DataFrame(examples), pd.concat(metrics)


SPACE = {
    "p": {"low": 1, "high": 250, "scale": "integer"},
    "lr": {"low": 1e-4, "high": 1.0, "scale": "log"},
    "tau": {"low": 1.0, "high": 100.0, "scale": "log"},
    "connectivity": {"low": 0.0, "high": 1.0, "scale": "linear"},
}


def searched(names, on_bound=()):
    """Observations, optimum and surrogate; the pairs are given in alternating order."""
    space = {name: SPACE[name] for name in names}
    values = {name: (s["low"] * s["high"]) ** 0.5 for name, s in space.items()}
    rng = np.random.default_rng(0)
    observations = pd.DataFrame(
        {name: rng.uniform(s["low"], s["high"], 12) for name, s in space.items()}
    ).assign(configuration=range(12), score=[5, 1, 7, *range(9)], seconds=1.0, diverged=0)
    grids = {name: np.linspace(s["low"], s["high"], 6) for name, s in space.items()}
    tables = [
        pd.DataFrame({"x_name": n, "y_name": "", "x": g, "y": np.nan, "mean": g, "sd": 1.0})
        for n, g in grids.items()
    ]
    for k, (a, b) in enumerate(itertools.combinations(names, 2)):
        a, b = (a, b) if k % 2 else (b, a)
        x, y = (part.ravel() for part in np.meshgrid(grids[a], grids[b]))
        # The score depends on the first parameter only.
        mean = x if names.index(a) < names.index(b) else y
        tables.append(
            pd.DataFrame({"x_name": a, "y_name": b, "x": x, "y": y, "mean": mean, "sd": 1.0})
        )
    best = {"values": values, "score": 8.0, "configuration": 11}
    optimum = {"space": space, "values": values, "score": 7.5, "score_sd": 0.5}
    optimum |= {"best_observed": best, "on_bound": list(on_bound)}
    return observations, optimum, pd.concat(tables)


def costs():
    columns = ["study", "rule", "jobs", "seconds_total", "seconds_median", "seconds_max"]
    table = pd.DataFrame([("a", "train", 4, 7200.0, 1800.0, 2000.0)] * 2, columns=columns)
    return table.assign(memory_mb_max=[512.4, np.nan], seconds_total=[7200.0, 3600.0])


def footnote(figure):
    return " ".join(figure.get_supxlabel().split())


def lines(ax, label):
    return [line for line in ax.get_lines() if line.get_label() == label]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def every_study_figure(protocol):
    return [
        figures.training_loss(losses([np.ones(50)]), protocol),
        figures.accuracy(additions(), protocol),
        figures.capacity(*capacities({"GRU": [30]}), protocol),
        figures.trajectories(*generated(), protocol),
        figures.search(*searched(["p", "lr"]), protocol),
    ]


# Looks


def test_the_sixteen_looks_are_distinct():
    looks = [figures.cell_look(cell) for cell in figures.LOOKS]
    assert len(looks) == 16
    assert len({colour for colour, _ in looks}) == 16
    assert len({marker for _, marker in looks}) == 16


def test_the_four_main_cells_differ_in_lightness_or_hue_for_colour_blind_readers():
    # Deuteranopia, Viénot, Brettel & Mollon 1999: red and green light fall together.
    seen = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    colours = []
    for cell in ("LSTM", "GRU", "BRC", "nBRC"):
        linear = np.array(to_rgb(figures.cell_look(cell)[0])) ** 2.2
        colours.append(np.clip(seen @ linear, 0, 1) ** (1 / 2.2))
    for a, b in itertools.combinations(colours, 2):
        assert np.linalg.norm(a - b) > 0.2


def test_an_unknown_cell_has_a_look_of_its_own_in_every_process():
    look = figures.cell_look("my.module:Cell")
    assert look[1] not in {marker for _, marker in figures.LOOKS.values()}
    assert look != figures.cell_look("my.module:Other")
    code = "from rnncells.figures.all import cell_look; print(cell_look('my.module:Cell'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(look)


def test_known_cells_come_first():
    assert figures.cell_order(["x:Z", "nBRC", "A", "LSTM", "nBRC"]) == ["LSTM", "nBRC", "A", "x:Z"]


def test_a_cell_looks_the_same_in_every_figure():
    colour, marker = figures.cell_look("nBRC")
    others = ["LSTM", "MyCell"]
    loss = pd.concat(losses([np.ones(50)], cell=cell) for cell in [*others, "nBRC"])
    drawn = [
        figures.training_loss(loss, PROTOCOL).axes[0],
        figures.accuracy(additions(("nBRC",)), PROTOCOL).axes[0],
        *figures.capacity(*capacities({"ESN": [30], "nBRC": [30]}), PROTOCOL).axes,
    ]
    for ax in drawn:
        (line,) = lines(ax, "nBRC")
        assert (to_hex(line.get_color()).upper(), line.get_marker()) == (colour, marker)
    block = figures.trajectories(*generated(("nBRC",)), PROTOCOL).axes[0]
    assert colour in {to_hex(line.get_color()).upper() for line in block.get_lines()}


# Footnotes


def test_every_study_figure_says_that_the_protocol_is_the_published_one():
    for figure in every_study_figure(PROTOCOL):
        assert "Published protocol." in footnote(figure)
        assert "3 seeds" in footnote(figure)
        assert "Reduced" not in footnote(figure)


def test_every_study_figure_says_that_the_budget_is_reduced():
    for figure in every_study_figure(REDUCED):
        wanted = "Reduced budget: 40 of 300 search configurations; 3 of 5 seeds."
        assert wanted in footnote(figure)
        assert "Published protocol" not in footnote(figure)


def test_a_long_footnote_stays_on_the_page_and_off_the_axes():
    long = PROTOCOL | {"reduced": [f"{k} of 100 things of some sort" for k in range(20)]}
    figure = figures.training_loss(losses([np.ones(50)]), long)
    figure.draw_without_rendering()
    note = figure._supxlabel.get_window_extent()
    assert note.x0 >= 0
    assert note.y0 >= 0
    assert note.x1 <= figure.bbox.width
    assert note.y1 <= min(ax.get_tightbbox().y0 for ax in figure.axes)


def test_diverged_runs_are_counted():
    two = losses([np.ones(50), np.full(50, 9.0)])
    two.loc[(two["metric"] == "final_test_mse") & (two["seed"] == 1), "value"] = np.nan
    figure = figures.training_loss(two, PROTOCOL)
    assert "1 run diverged, left out." in footnote(figure)
    np.testing.assert_allclose(lines(figure.axes[0], "GRU")[0].get_ydata(), 1.0)

    two.loc[two["metric"] == "final_test_mse", "value"] = np.nan
    assert "2 runs diverged, left out." in footnote(figures.training_loss(two, PROTOCOL))
    at_the_first_step = two[two["metric"] == "final_test_mse"]
    assert texts(figures.training_loss(at_the_first_step, PROTOCOL).axes[0]) == ["2 runs diverged."]

    summary, runs = capacities({"GRU": [30]}, diverged={("GRU", 0), ("GRU", 2)})
    assert "2 runs diverged" in footnote(figures.capacity(summary, runs, PROTOCOL))
    table = additions().assign(diverged=1)
    assert "4 runs diverged" in footnote(figures.accuracy(table, PROTOCOL))
    assert "diverged" not in footnote(figures.accuracy(additions(), PROTOCOL))
    examples, metrics = generated(errors=(np.nan, np.nan))
    figure = figures.trajectories(examples, metrics, PROTOCOL)
    assert "1 run diverged" in footnote(figure)
    assert texts(figure.axes[0])[:2] == ["diverged", "diverged"]


# Training loss


def test_training_loss_has_its_levels_and_labels():
    figure = figures.training_loss(
        losses([np.ones(50)]), PROTOCOL | {"training": {"stop_below": 0.3}}
    )
    (ax,) = figure.axes
    level = {line.get_linestyle(): set(line.get_ydata()) for line in ax.get_lines()[1:]}
    assert level == {"--": {0.3}, ":": {1.0}}
    assert texts(ax) == ["goal 0.3", "chance"]
    assert ax.get_xlabel() == "Gradient step"
    assert "MSE" in ax.get_ylabel()


def test_training_loss_is_a_moving_average():
    curve = np.sin(np.arange(1000.0))
    figure = figures.training_loss(losses([curve], length=5), PROTOCOL)
    x, y = lines(figure.axes[0], "GRU")[0].get_data()
    assert (x[0], x[-1]) == (5, 1000)  # a quarter of the window of 20
    wanted = [curve[max(0, step - 20) : step].mean() for step in x]
    np.testing.assert_allclose(y, wanted, atol=1e-12)
    assert "20 steps (length 5)" in footnote(figure)


@pytest.mark.parametrize(("length", "steps", "window"), [(10, 90, 9), (11, 1000, 100), (5, 9, 1)])
def test_window(length, steps, window):
    figure = figures.training_loss(losses([np.ones(steps)], length=length), PROTOCOL)
    assert f"over {window} steps (length {length})" in footnote(figure)


def test_a_seed_that_stopped_keeps_its_value_and_the_line_ends_with_the_last_seed():
    short, long = np.full(100, 0.0), np.full(200, 1.0)
    figure = figures.training_loss(losses([short, long]), PROTOCOL)
    ax = figure.axes[0]
    x, y = lines(ax, "GRU")[0].get_data()
    assert x[-1] == 200
    np.testing.assert_allclose(y, 0.5)
    corners = ax.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0.0, 1.0)


def test_training_loss_has_a_panel_per_length_and_a_row_per_size():
    tables = [losses([np.ones(20)], length=n, hidden=h) for n in (5, 50, 7) for h in (30, 60)]
    figure = figures.training_loss(pd.concat(tables), PROTOCOL)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["Length 5", "Length 7", "Length 50"] * 2
    assert "1 layer of 60 units" in figure.axes[3].get_ylabel()
    assert len({ax.get_ylim() for ax in figure.axes}) == 1


# Accuracy


def test_accuracy_panels_band_and_trained_length():
    figure = figures.accuracy(additions(), PROTOCOL)
    assert [ax.get_title() for ax in figure.axes] == [
        "1 layer of 100 units",
        "2 layers of 100 units",
    ]
    ax = figure.axes[0]
    assert "digits" in ax.get_xlabel()
    assert "every bit right" in ax.get_ylabel()
    assert ax.get_ylim()[0] == 0
    assert texts(ax) == ["trained up to 20"]
    assert any(set(line.get_xdata()) == {20} for line in ax.get_lines())
    (line,) = lines(ax, "LSTM")
    assert line.get_ydata()[-1] == pytest.approx(0.6)
    band = ax.collections[0].get_paths()[0].vertices
    sem = 0.1 / np.sqrt(3)
    last = band[band[:, 0] == 60][:, 1]
    assert (last.min(), last.max()) == pytest.approx((0.6 - sem, 0.6 + sem))


def test_accuracy_of_several_trained_lengths_has_a_line_style_each():
    figure = figures.accuracy(additions(("GRU",), (1,), (50, 100), (10, 20)), PROTOCOL)
    assert len(figure.axes) == 2
    assert [line.get_linestyle() for line in lines(figure.axes[0], "GRU")] == ["--", "-"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["GRU", "trained up to 10", "trained up to 20"]


def test_one_seed_is_drawn_without_a_band():
    figure = figures.accuracy(additions(("GRU",), (1,), seeds=1), PROTOCOL)
    ax = figure.axes[0]
    assert len(lines(ax, "GRU")[0].get_ydata()) == 58
    assert all(len(path.vertices) == 0 for c in ax.collections for path in c.get_paths())


# Capacity


def test_capacity_gives_sizes_of_another_magnitude_their_own_panel():
    sizes = {"GRU": [30, 60], "LSTM": [30, 60], "ESN": [1000, 4000]}
    small, large, _ = figures.capacity(*capacities(sizes), PROTOCOL).axes
    assert [tick.get_text() for tick in small.get_xticklabels()] == ["30", "60"]
    assert [tick.get_text() for tick in large.get_xticklabels()] == ["1000", "4000"]
    assert lines(small, "ESN") == []
    assert list(lines(large, "ESN")[0].get_ydata()) == pytest.approx([103.0, 403.0])
    assert small.get_ylim() == large.get_ylim()
    assert small.get_yscale() == "symlog"


def test_capacity_ranks_each_cell_at_its_largest_size():
    sizes = {"GRU": [30, 60], "LSTM": [30, 60], "ESN": [1000]}
    ranking = figures.capacity(*capacities(sizes), PROTOCOL).axes[-1]
    labels = [tick.get_text() for tick in ranking.get_yticklabels()]
    assert labels == ["GRU", "LSTM", "ESN (1000)"]
    assert texts(ranking) == ["7.0", "8.0", "103.0"]
    assert [lines(ranking, cell)[0].get_xdata()[0] for cell in sizes] == pytest.approx([7, 8, 103])
    given, seeds = ranking.get_lines()[:2]
    assert list(given.get_xdata()) == [40, 40, 40]
    assert list(seeds.get_xdata()) == pytest.approx([6, 7, 8])
    assert "60 hidden units" in ranking.get_title()


def test_capacity_bars_are_the_bootstrap_intervals():
    summary, runs = capacities({"GRU": [30]})
    ax = figures.capacity(summary, runs, PROTOCOL).axes[0]
    (segment,) = ax.collections[0].get_segments()
    assert list(segment[:, 1]) == pytest.approx([summary["low"][0], summary["high"][0]])
    assert summary["low"][0] < summary["high"][0]


def test_capacity_of_one_seed():
    figure = figures.capacity(*capacities({"GRU": [30]}, seeds=1), PROTOCOL)
    figure.draw_without_rendering()
    assert list(lines(figure.axes[0], "GRU")[0].get_ydata()) == [3.0]


# Trajectories


def test_trajectories_mark_what_was_learned():
    figure = figures.trajectories(*generated(errors=(0.05, 0.1, 0.3)), PROTOCOL)
    ax = figure.axes[0]
    assert texts(ax)[:3] == ["✓ 0.05", "✗ 0.1", "✗ 0.3"]
    assert "threshold 0.1" in texts(ax)
    assert ax.get_aspect() == 1
    target, prediction = ax.get_lines()[:2]
    np.testing.assert_allclose(target.get_ydata(), np.arange(60) / 60)
    np.testing.assert_allclose(prediction.get_ydata(), 0.05)


def test_the_scale_bar_is_as_long_as_the_threshold():
    protocol = PROTOCOL | {"training": {"threshold": 0.2}}
    ax = figures.trajectories(*generated(), protocol).axes[0]
    assert [np.ptp(line.get_xdata()) for line in ax.get_lines()[-2:]] == pytest.approx([0.5, 0.2])


def test_trajectories_show_the_largest_network_of_each_cell():
    tables = [generated(("GRU",), hidden=30), generated(("GRU", "LSTM"), hidden=60)]
    examples, metrics = (pd.concat(part) for part in zip(*tables, strict=True))
    figure = figures.trajectories(examples, metrics, PROTOCOL)
    titles = [ax.get_title("left") for ax in figure.axes]
    assert titles == ["LSTM (60 units)", "GRU (60 units)"]


# Search


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_search_has_a_panel_per_parameter_and_pair(count):
    names = list(SPACE)[:count]
    figure = figures.search(*searched(names), PROTOCOL)
    pairs = count * (count - 1) // 2
    assert len(figure.axes) == 1 + count + pairs + (pairs > 0)


def test_search_convergence():
    ax = figures.search(*searched(["lr"]), PROTOCOL).axes[0]
    (best,) = lines(ax, "best so far")
    assert list(best.get_ydata()) == [5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Configuration", "Score (higher is better)")


def test_search_axes_follow_the_scales_of_the_space():
    _, p, lr, pair, *_ = figures.search(*searched(["p", "lr"]), PROTOCOL).axes
    assert (p.get_xscale(), p.get_xlim()) == ("linear", (1, 250))
    assert (lr.get_xscale(), lr.get_xlim()) == ("log", (1e-4, 1))
    assert (pair.get_xscale(), pair.get_yscale()) == ("linear", "log")
    assert lr.get_xlabel() == pair.get_ylabel() == "learning rate"


@pytest.mark.parametrize(
    ("low", "high", "labelled"), [(0.1, 2.0, [0.1, 1]), (0.2, 3.0, [1]), (0.2, 0.9, [0.2, 0.3])]
)
def test_search_labels_powers_of_ten_only_where_there_are_some(low, high, labelled):
    observations, optimum, surrogate = searched(["lr"])
    optimum["space"]["lr"] |= {"low": low, "high": high}
    figure = figures.search(observations, optimum, surrogate, PROTOCOL)
    figure.draw_without_rendering()
    axis = figure.axes[1].xaxis
    ticks = axis.get_major_ticks() + axis.get_minor_ticks()
    shown = sorted(tick.get_loc() for tick in ticks if tick.label1.get_text())
    shown = [place for place in shown if low <= place * 1.0001 and place <= high * 1.0001]
    assert shown[:2] == pytest.approx(labelled)


@pytest.mark.parametrize("names", [["p", "lr"], ["p", "lr", "tau"]])
def test_search_contours_have_the_earlier_parameter_across(names):
    # The surrogate grows with the earlier parameter of a pair: contours cross the panel upright.
    figure = figures.search(*searched(names), PROTOCOL)
    for ax in figure.axes[1 + len(names) : -1]:
        contours = ax.collections[0]
        filled = [path for path in contours.get_paths() if len(path.vertices)]
        low, high = ax.get_ylim()
        assert filled
        for path in filled:
            assert path.vertices[:, 1].min() == pytest.approx(low)
            assert path.vertices[:, 1].max() == pytest.approx(high)


def test_search_marks_the_optimum_and_its_bounds():
    observations, optimum, surrogate = searched(["p", "lr"], on_bound=["lr"])
    figure = figures.search(observations, optimum, surrogate, PROTOCOL)
    _, p, lr, pair, _ = figure.axes
    (star,) = [line for line in pair.get_lines() if line.get_marker() == "*"]
    assert star.get_xydata().tolist() == [[optimum["values"]["p"], optimum["values"]["lr"]]]
    assert any(set(line.get_xdata()) == {optimum["values"]["lr"]} for line in lr.get_lines())
    assert (p.get_title(), lr.get_title()) == ("", "on its bound")
    assert "On the bound of the space: learning rate" in figure.get_suptitle()
    free = figures.search(*searched(["p", "lr"]), PROTOCOL)
    assert "bound" not in free.get_suptitle()


# Cost, files, empty tables


def test_cost_has_a_bar_and_a_row_for_each_rule():
    text, bars = figures.cost(costs()).axes
    widths = [p.get_width() for p in bars.patches if isinstance(p, Rectangle)]
    assert widths == [2.0, 1.0]
    assert "hours" in bars.get_xlabel()
    assert {"Jobs", "Memory (MB)", "512", "-", "30 min 00 s", "train"} <= set(texts(text))
    assert texts(text).count("a") == 1
    assert "2 h 00 min" in texts(bars)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(1.24, "1.2 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3600, "1 h 00 min"), (np.nan, "-")],
)
def test_duration(seconds, written):
    assert figures._duration(seconds) == written


def test_the_same_figure_gives_the_same_files(tmp_path):
    for name in ("a", "b"):
        figure = figures.accuracy(additions(), PROTOCOL)
        figures.save(figure, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    pdf, png = (tmp_path / "a.pdf").read_bytes(), (tmp_path / "a.png").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert pdf == (tmp_path / "b.pdf").read_bytes()
    assert png == (tmp_path / "b.png").read_bytes()
    width = int.from_bytes(png[16:20], "big")
    assert width == 1400  # 7 inches at 200 dpi


def test_a_matplotlibrc_changes_nothing(tmp_path):
    def pixels(name):
        drawn = figures.accuracy(additions(), PROTOCOL)
        figures.save(drawn, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
        return plt.imread(tmp_path / f"{name}.png")

    usual = pixels("usual")
    with plt.rc_context({"axes.facecolor": "red", "axes.grid": True, "savefig.bbox": "tight"}):
        np.testing.assert_array_equal(pixels("another"), usual)


def test_no_text_is_smaller_than_seven_points():
    for figure in [*every_study_figure(REDUCED), figures.cost(costs())]:
        shown = figure.findobj(lambda artist: hasattr(artist, "get_fontsize"))
        assert min(text.get_fontsize() for text in shown if text.get_text()) >= 7


def test_empty_tables_say_so():
    summary, runs = capacities({"GRU": [30]})
    examples, metrics = generated()
    empty = [
        figures.training_loss(losses([[1.0]])[:0], PROTOCOL),
        figures.accuracy(additions()[:0], PROTOCOL),
        figures.capacity(summary[:0], runs[:0], PROTOCOL),
        figures.trajectories(examples[:0], metrics[:0], PROTOCOL),
        figures.cost(costs()[:0]),
    ]
    for figure in empty:
        assert texts(figure.axes[0]) == ["no results yet"]


def test_neither_module_imports_what_takes_long_to_import():
    code = "import sys, rnncells.figures.all, rnncells.results.statistics; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "seaborn", "scipy", "matplotlib.pyplot"}.isdisjoint(out.stdout.split())
