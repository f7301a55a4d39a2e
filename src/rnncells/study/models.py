"""The configuration, the plan that follows from it, and what one job trains (:class:`RunSpec`).

The models are frozen and validated. ``model_dump()`` gives plain dictionaries, lists, text and
numbers, which Snakemake compares to see what has changed.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializeAsAny,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ..tasks import DataSource, Settings, task_class
from ..tasks.settings import Count, Model, Number, Seed

MOST_SEEDS, LARGEST_SEED = 100_000, 4_294_967_295
SEEDS = (
    f"a number of seeds from 1 to {MOST_SEEDS}, or a list of different integers from 0 to "
    f"{LARGEST_SEED}"
)


def _all_differ(values: list) -> list:
    if len(set(values)) < len(values):
        raise ValueError("an entry is there twice; all must differ")
    return values


def _seeds(given: object) -> list[int]:
    """Turn a number of seeds into the list of them."""
    if type(given) is int and 1 <= given <= MOST_SEEDS:
        return list(range(given))
    if (
        isinstance(given, list)
        and given
        and all(type(seed) is int and 0 <= seed <= LARGEST_SEED for seed in given)
        and len(set(given)) == len(given)
    ):
        return given
    wrong = given
    if isinstance(given, list):
        wrong = next((seed for seed in given if isinstance(seed, str)), given)
    raise PydanticCustomError("seeds", "{message}", {"message": SEEDS, "wrong": wrong})


def _no_huge_bounds(bounds: list[float]) -> list[float]:
    for bound in bounds:
        if abs(bound) > 1e99:
            raise ValueError(f"{bound:g} is not allowed; it must be within -1e+99 and 1e+99")
    return bounds


Sizes = Annotated[
    list[Annotated[int, Field(ge=1, le=1_000_000)]],
    Field(min_length=1),
    AfterValidator(_all_differ),
]
Seeds = Annotated[
    Any,
    BeforeValidator(_seeds),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS},
                {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {"type": "integer", "minimum": 0, "maximum": LARGEST_SEED},
                },
            ]
        }
    ),
]
Bounds = Annotated[list[Number], Field(min_length=2, max_length=2), AfterValidator(_no_huge_bounds)]
StudyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64)]
Device = Literal["auto", "cpu", "cuda"]


class Search(Model):
    """How hyperparameters are searched."""

    configurations: Annotated[int, Field(ge=2, le=1_000_000_000)] = Field(
        300,
        description="How many configurations to try, at least 2. Published: 300, and 500 for the "
        "ESN.",
    )
    tries: Count = Field(
        2,
        description="Trainings per configuration, each with a seed of its own; their scores are "
        "averaged.",
    )
    batch: Count = Field(
        1,
        description="Configurations proposed and trained together (constant liar). 1 is as "
        "published; more is faster.",
    )
    initial: Count = Field(
        10,
        description="Random configurations after the first one, before the surrogate is used. They "
        "depend on `seed` and the number of parameters alone, so cells with as many parameters "
        "share them.",
    )
    seed: Seed = Field(0, description="Seed of the search.")
    first: dict[str, Number] = Field(
        {},
        description="The first configuration. Parameters that are not named start where the "
        "cell's published search did, else at `p` 5, `lr` 0.01 and `tau` 10, else in the middle of "
        "their bounds; a value outside its bounds is moved to the nearest bound.",
    )
    space: dict[str, Bounds] = Field({}, description="Bounds that replace the published ones.")
    surrogate: Literal["robust", "published"] = Field(
        "robust",
        description="How the Gaussian process is fitted. `robust`: maximum a posteriori from nine "
        "starting points. `published`: maximum likelihood with two random restarts, which with "
        "some seeds ends in a mode that fits noise or overlooks a parameter.",
    )
    evaluate: Literal["grid", "refined"] = Field(
        "grid",
        description="Which minimum of the surrogate is the optimum. `grid`, as published: the best "
        "point of a grid with 50 points per parameter. `refined`: that point moved along each "
        "axis in steps of a twentieth of a cell.",
    )


class Hyperparameters(Model):
    """Where the hyperparameters come from."""

    source: Literal["config", "published", "search", "grid"] = Field(
        "config", description="See the examples."
    )
    values: dict[str, Number] = Field(
        {"lr": 0.001},
        description="For `source: config`: each cell takes those that it has. `lr`, the learning "
        "rate of Adam, is needed except with a ridge readout, `p` for `trajectory_generation`. "
        "Giving `values` replaces the default.",
    )
    optimum_of: str | None = Field(
        None,
        description="For `source: published`: the cell whose optimum is taken, for a cell without "
        "one of its own.",
    )
    search: Search = Field(default_factory=Search, description="For `source: search`.")
    grid: dict[str, Annotated[list[Number], Field(min_length=1), AfterValidator(_all_differ)]] = (
        Field(
            {"lr": [0.01, 0.003, 0.001, 0.0003, 0.0001]},
            description="For `source: grid`: the values to combine; what it does not name is taken "
            "from `values`. Every combination is trained with all seeds, and the best mean "
            "validation score decides.",
        )
    )


class CellSettings(Model):
    """Settings of a single cell, laid over those of its study."""

    lengths: Sizes | None = Field(None, description="Lengths for this cell.")
    hidden_sizes: Sizes | None = Field(None, description="Hidden sizes for this cell.")
    parameters: Sizes | None = Field(None, description="Parameter budgets for this cell.")
    layers: Sizes | None = Field(None, description="Numbers of layers for this cell.")
    seeds: Seeds = Field(None, description="Seeds for this cell.")
    seeds_per_job: Count | None = Field(None, description="Seeds per job for this cell.")
    hyperparameters: dict[str, Any] = Field(
        {}, description="Laid over the study's `hyperparameters`, key by key."
    )
    training: dict[str, Any] = Field({}, description="Laid over the study's `training`.")
    options: dict[str, Any] = Field(
        {}, description="Keywords of the cell's class, such as `state_activation` or `factors`."
    )


class Study(Model):
    """What one study compares."""

    task: str = Field(
        description="What the cells have to do: a name, or `package.module:Class` for a task of "
        "your own."
    )
    cells: Annotated[list[str], Field(min_length=1), AfterValidator(_all_differ)] = Field(
        description="Names from the table in the README, or `package.module:Class` for a cell of "
        "your own."
    )
    lengths: Sizes | None = Field(
        None,
        description="Sequence lengths; what they count is the task's, see below. The default is "
        "the task's own length, for the tasks that have one.",
    )
    hidden_sizes: Sizes | None = Field(
        None, description="Units per layer (for MTRNN: per group). This or `parameters` is needed."
    )
    parameters: Sizes | None = Field(
        None,
        description="In place of `hidden_sizes`: numbers of learned parameters, readout included. "
        "Every cell gets the most units with which it has no more of them.",
    )
    layers: Sizes = Field([1], description="Numbers of stacked layers.")
    seeds: Seeds = Field(
        list(range(5)),
        description="`3` means seeds 0, 1, 2; `[7, 11]` means these two.",
        json_schema_extra={"default": 5},
    )
    seeds_per_job: Count = Field(
        10, description="How many seeds one job trains together, see below."
    )
    hyperparameters: Hyperparameters = Field(
        default_factory=Hyperparameters,
        description="Where the hyperparameters come from, see below.",
    )
    training: dict[str, Any] = Field(
        {}, description="The training protocol; its keys depend on the task."
    )
    each: dict[str, Annotated[list[Any], Field(min_length=1), AfterValidator(_all_differ)]] = Field(
        {},
        description="Keys of `training` with several values each: for every combination there is "
        "a study of its own, whose name ends in the values.",
    )
    data: dict[str, Any] = Field(
        {}, description="The data set, for tasks that have one; its keys depend on the task."
    )
    per_cell: dict[str, CellSettings] = Field(
        {}, description="Settings of single cells, see below."
    )


class Configuration(Model):
    """A configuration file."""

    device: Device = Field(
        "auto",
        description="Where searches and trainings run. `auto` takes a GPU if `nvidia-smi` lists "
        "one, and waits if all are taken by other jobs; `cuda` fails without a GPU.",
    )
    checkpoint_seconds: float = Field(
        60,
        gt=0,
        description="Pause between two checkpoints of a training. No number depends on it: a "
        "change makes no job run again.",
    )
    studies: Annotated[dict[StudyName, Study], Field(min_length=1)] = Field(
        description="Name of each study and its settings. A name is the study's folder in "
        "`results/`: at most 64 letters, digits, `_` and `-`, the first a letter or digit."
    )


class Dimension(Model):
    """The bounds of one hyperparameter in a search, its scale, and where the search starts."""

    low: Number
    high: Number
    scale: Literal["linear", "log", "integer"]
    first: Number


class SearchPlan(Model):
    """The search of one cell: the settings, with the bounds of every hyperparameter it has."""

    configurations: int = Field(description="How many to try.")
    narrowed: list[str] = Field(description="Hyperparameters whose bounds are the study's own.")
    space: dict[str, Dimension] = Field(description="The hyperparameters.")
    tries: int = Field(description="Trainings per configuration.")
    batch: int = Field(description="Configurations proposed together.")
    initial: int = Field(description="Configurations drawn at random after the first.")
    seed: int = Field(description="Seed of the search.")
    surrogate: Literal["robust", "published"] = Field(description="How the surrogate is fitted.")
    evaluate: Literal["grid", "refined"] = Field(description="Which minimum is the optimum.")

    def settings(self) -> dict:
        """Return what a search's proposals depend on: not how many, nor what becomes of them."""
        return self.model_dump(exclude={"configurations", "narrowed", "evaluate"})


class CellPlan(Model):
    """What a study does with one cell."""

    lengths: list[int] = Field(description="Lengths.")
    hidden_sizes: list[int] = Field(description="Units per layer.")
    parameters: list[int] = Field([], description="Parameter budgets, in place of hidden sizes.")
    layers: list[int] = Field(description="Numbers of layers.")
    seeds: list[int] = Field(description="Seeds.")
    seeds_per_job: int = Field(description="How many of them a job trains together.")
    options: dict[str, Any] = Field(description="Keywords of the cell's class.")
    training: SerializeAsAny[Settings] = Field(description="The task's settings.")
    source: Literal["config", "published", "search", "grid"] = Field(
        description="Where the hyperparameters come from."
    )
    optimum_of: str | None = Field(None, description="The cell whose published optimum is taken.")
    hyperparameters: dict[str, dict[str, Number] | None] = Field(
        description="Size -> hyperparameters; None where they are searched."
    )
    search: SearchPlan | None = Field(description="How, if they are.")
    grid: list[dict[str, Number]] = Field([], description="The combinations of a grid.")

    @property
    def sizes(self) -> list[str]:
        """The sizes of the networks as they stand in file names."""
        return [f"hidden={n}" for n in self.hidden_sizes] + [
            f"parameters={n}" for n in self.parameters
        ]


class StudyPlan(Model):
    """What a study does."""

    task: str = Field(description="The task.")
    device: Device = Field(description="Where it runs.")
    data: SerializeAsAny[DataSource] | None = Field(description="The data set, if there is one.")
    cells: dict[str, CellPlan] = Field(description="Cell -> what is done with it.")

    def spec(self, cell: str, length: int, size: str, layers: int) -> "RunSpec":
        """Return what a job of this study trains; size is one of :attr:`CellPlan.sizes`."""
        plan = self.cells[cell]
        kind, _, number = size.partition("=")
        return RunSpec(
            task=self.task,
            cell=cell,
            length=length,
            hidden_size=int(number) if kind == "hidden" else None,
            parameters=int(number) if kind == "parameters" else None,
            layers=layers,
            options=plan.options,
            training=plan.training,
            device=self.device,
        )


class RunSpec(Model):
    """What is trained, apart from the seeds and the hyperparameters of the population's members."""

    task: str = Field(description="Name of the task, or package.module:Class.")
    cell: str = Field(description="Name of the cell, or package.module:Class.")
    length: int = Field(ge=1, description="The task's length axis.")
    hidden_size: int | None = Field(None, ge=1, description="Units per layer.")
    parameters: int | None = Field(
        None, ge=1, description="In place of it: the most learned parameters, readout included."
    )
    layers: int = Field(1, ge=1, description="Stacked layers.")
    options: dict[str, Any] = Field({}, description="Keywords of the cell's class.")
    training: SerializeAsAny[Settings] = Field(
        None, validate_default=True, description="The task's settings."
    )
    device: str = Field("auto", description="auto, cpu, cuda, or another device of PyTorch's.")

    @model_validator(mode="after")
    def _one_size(self) -> "RunSpec":
        if (self.hidden_size is None) == (self.parameters is None):
            raise ValueError("give either hidden_size or parameters")
        return self

    @field_validator("training", mode="before")
    @classmethod
    def _settings_of_the_task(cls, given: object, info) -> Settings:
        if "task" not in info.data:
            return given
        made = task_class(info.data["task"]).Settings
        return given if isinstance(given, made) else made.model_validate(given or {})
