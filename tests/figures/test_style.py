"""What all figures have in common: looks, footnotes, fonts, files."""

import itertools
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex, to_rgb

from rnncells.figures import accuracy, capacity, cost, scores, search, training_loss, trajectories
from rnncells.figures.drawing import save
from rnncells.figures.style import LOOKS, cell_look, cell_order

from .made import (
    PROTOCOL,
    REDUCED,
    additions,
    capacities,
    costs,
    footnote,
    generated,
    lines,
    losses,
    scored,
    searched,
    texts,
)


def every_study_figure(protocol):
    return [
        training_loss.draw(losses([np.ones(50)]), protocol),
        accuracy.draw(*additions(), protocol),
        capacity.draw(*capacities({"GRU": [30]}), protocol),
        trajectories.draw(*generated(), protocol),
        search.draw(*searched(["p", "lr"]), protocol),
        scores.draw(*scored({"GRU": [0.5]}), protocol),
    ]


def test_the_sixteen_looks_are_distinct():
    looks = [cell_look(cell) for cell in LOOKS]
    assert len(looks) == 16
    assert len({colour for colour, _ in looks}) == 16
    assert len({marker for _, marker in looks}) == 16


def test_the_four_main_cells_differ_in_lightness_or_hue_for_colour_blind_readers():
    # Deuteranopia, Viénot, Brettel & Mollon 1999: red and green light fall together.
    seen = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    colours = []
    for cell in ("LSTM", "GRU", "BRC", "nBRC"):
        linear = np.array(to_rgb(cell_look(cell)[0])) ** 2.2
        colours.append(np.clip(seen @ linear, 0, 1) ** (1 / 2.2))
    for a, b in itertools.combinations(colours, 2):
        assert np.linalg.norm(a - b) > 0.2


def test_an_unknown_cell_has_a_look_of_its_own_in_every_process():
    look = cell_look("my.module:Cell")
    assert look[1] not in {marker for _, marker in LOOKS.values()}
    assert look != cell_look("my.module:Other")
    code = "from rnncells.figures.style import cell_look; print(cell_look('my.module:Cell'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(look)


def test_known_cells_come_first():
    assert cell_order(["x:Z", "nBRC", "A", "LSTM", "nBRC"]) == ["LSTM", "nBRC", "A", "x:Z"]


def test_a_cell_looks_the_same_in_every_figure():
    colour, marker = cell_look("nBRC")
    others = ["LSTM", "MyCell"]
    loss = pd.concat(losses([np.ones(50)], cell=cell) for cell in [*others, "nBRC"])
    drawn = [
        training_loss.draw(loss, PROTOCOL).axes[0],
        accuracy.draw(*additions(("nBRC",)), PROTOCOL).axes[0],
        *capacity.draw(*capacities({"ESN": [30], "nBRC": [30]}), PROTOCOL).axes,
    ]
    for ax in drawn:
        (line,) = lines(ax, "nBRC")
        assert (to_hex(line.get_color()).upper(), line.get_marker()) == (colour, marker)
    block = trajectories.draw(*generated(("nBRC",)), PROTOCOL).axes[0]
    assert colour in {to_hex(line.get_color()).upper() for line in block.get_lines()}


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
    figure = training_loss.draw(losses([np.ones(50)]), long)
    figure.draw_without_rendering()
    note = figure._supxlabel.get_window_extent()
    assert note.x0 >= 0
    assert note.y0 >= 0
    assert note.x1 <= figure.bbox.width
    assert note.y1 <= min(ax.get_tightbbox().y0 for ax in figure.axes)


def test_diverged_runs_are_counted():
    two = losses([np.ones(50), np.full(50, 9.0)])
    two.loc[(two["metric"] == "final_test_mse") & (two["seed"] == 1), "value"] = np.nan
    figure = training_loss.draw(two, PROTOCOL)
    assert "1 run diverged, left out." in footnote(figure)
    np.testing.assert_allclose(lines(figure.axes[0], "GRU")[0].get_ydata(), 1.0)

    two.loc[two["metric"] == "final_test_mse", "value"] = np.nan
    assert "2 runs diverged, left out." in footnote(training_loss.draw(two, PROTOCOL))
    at_the_first_step = two[two["metric"] == "final_test_mse"]
    assert texts(training_loss.draw(at_the_first_step, PROTOCOL).axes[0]) == ["2 runs diverged."]

    tables = capacities({"GRU": [30]}, diverged={("GRU", 0), ("GRU", 2)})
    assert "2 runs diverged" in footnote(capacity.draw(*tables, PROTOCOL))
    metrics, summary = additions()
    figure = accuracy.draw(metrics, summary.assign(diverged=1), PROTOCOL)
    assert "4 runs diverged" in footnote(figure)
    assert "diverged" not in footnote(accuracy.draw(*additions(), PROTOCOL))
    examples, metrics = generated(errors=(np.nan, np.nan))
    figure = trajectories.draw(examples, metrics, PROTOCOL)
    assert "1 run diverged" in footnote(figure)
    assert texts(figure.axes[0])[:2] == ["diverged", "diverged"]


def test_the_same_figure_gives_the_same_files(tmp_path):
    for name in ("a", "b"):
        figure = accuracy.draw(*additions(), PROTOCOL)
        save(figure, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    pdf, png = (tmp_path / "a.pdf").read_bytes(), (tmp_path / "a.png").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert pdf == (tmp_path / "b.pdf").read_bytes()
    assert png == (tmp_path / "b.png").read_bytes()
    width = int.from_bytes(png[16:20], "big")
    assert width == 700  # 3.5 inches at 200 dpi


def test_a_matplotlibrc_changes_nothing(tmp_path):
    def pixels(name):
        drawn = accuracy.draw(*additions(), PROTOCOL)
        save(drawn, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
        return plt.imread(tmp_path / f"{name}.png")

    usual = pixels("usual")
    with plt.rc_context({"axes.facecolor": "red", "axes.grid": True, "savefig.bbox": "tight"}):
        np.testing.assert_array_equal(pixels("another"), usual)


def test_no_text_is_smaller_than_seven_points():
    for figure in [*every_study_figure(REDUCED), cost.draw(costs())]:
        shown = figure.findobj(lambda artist: hasattr(artist, "get_fontsize"))
        assert min(text.get_fontsize() for text in shown if text.get_text()) >= 7


def test_empty_tables_say_so():
    of_capacity, of_addition = capacities({"GRU": [30]}), additions()
    examples, metrics = generated()
    empty = [
        training_loss.draw(losses([[1.0]])[:0], PROTOCOL),
        accuracy.draw(*(table[:0] for table in of_addition), PROTOCOL),
        capacity.draw(*(table[:0] for table in of_capacity), PROTOCOL),
        trajectories.draw(examples[:0], metrics[:0], PROTOCOL),
        cost.draw(costs()[:0]),
        scores.draw(*(table[:0] for table in scored({"GRU": [0.5]})), PROTOCOL),
    ]
    for figure in empty:
        assert texts(figure.axes[0]) == ["no results yet"]


def test_figures_import_nothing_that_takes_long_to_import():
    names = "accuracy, capacity, cost, scores, search, training_loss, trajectories"
    code = f"import sys; from rnncells.figures import {names}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "scipy", "matplotlib.pyplot"}.isdisjoint(out.stdout.split())
