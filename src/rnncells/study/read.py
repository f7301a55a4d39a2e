"""Read a configuration file strictly, and say what is wrong with it in one line.

``python -m rnncells.study.read SCHEMA PUBLISHED FILE`` checks a file before Snakemake reads it.
Snakemake's own reader takes the last of two equal keys, evaluates expressions in files that ask for
it, and answers a file that is not UTF-8, or nested too deeply, with a traceback.
"""

import json
import sys
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import NoReturn

import yaml

from ..jobs.errors import one_line, shown
from .plan import resolve
from .validation import DEEPEST, LARGEST, ConfigError, load_schema

#: Far above what a person writes, in characters.
LONGEST = 10_000_000
BRACKETS = {"[": 1, "{": 1, "]": -1, "}": -1}


def read(path: str | Path) -> dict:
    """Read a configuration (YAML or JSON); nothing in it is executed.

    Raises:
        ConfigError: if the file cannot be read, or is not a mapping with each key once.
    """
    try:
        if Path(path).is_fifo():  # reading it might never end
            raise ConfigError("a pipe, not a file")
        with open(path, encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise ConfigError(f"longer than {LONGEST:,} characters")
        # The readers are recursive, and YAML's takes a time that is quadratic in the depth.
        if max(accumulate(BRACKETS.get(letter, 0) for letter in text), default=0) > 10 * DEEPEST:
            raise ConfigError(f"nested more than {DEEPEST} levels deep")
        try:
            config = json.loads(text, object_pairs_hook=_once)
        except json.JSONDecodeError:
            config = _plain_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}, line {line}: {error.problem or error.context}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text in UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested more than {DEEPEST} levels deep") from error
    # Numbers with thousands of digits, dates that do not exist, control characters, directories.
    except (ValueError, yaml.YAMLError, OSError) as error:
        raise ConfigError(f"{path}: {one_line(error)}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: {shown(config)} is not allowed; expected keys at the top level")
    return config


def _once(pairs: Iterable[tuple[str, object]]) -> dict:
    """Make a mapping of JSON, unless it has a key twice."""
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise ConfigError(f"the key {shown(key)} is there twice")
        made[key] = value
    return made


def _plain_yaml(text: str) -> object:
    """Read plain YAML, unless a mapping has a key twice or a few lines stand for very many keys."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _Keys(loader).check(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


class _Keys:
    """The keys of the mappings of a document, before those that are merged (``<<``) are put in."""

    def __init__(self, loader: yaml.SafeLoader):
        self.loader = loader
        self.numbers: dict[yaml.Node, int] = {}

    def check(self, node: yaml.Node) -> int:
        """Check a node and all below it; return how many keys it has with those merged into it."""
        if node not in self.numbers:
            self.numbers[node] = 0  # for what contains itself
            self.numbers[node] = self._number(node)
        return self.numbers[node]

    def _number(self, node: yaml.Node) -> int:
        if isinstance(node, yaml.SequenceNode):
            return sum(map(self.check, node.value))
        if not isinstance(node, yaml.MappingNode):
            return 0
        number, seen = 0, set()
        for key, value in node.value:
            below = self.check(key) + self.check(value)
            if key.tag == "tag:yaml.org,2002:merge":
                number += below
            elif isinstance(key, yaml.ScalarNode):
                name = self.loader.construct_object(key)
                if name in seen:
                    self._refuse(key, f"the key {shown(name)} is there twice")
                seen.add(name)
        number += len(seen)
        if number > LARGEST:
            self._refuse(node, f"more than {LARGEST:,} keys in a mapping")
        return number

    @staticmethod
    def _refuse(node: yaml.Node, why: str) -> NoReturn:
        raise yaml.constructor.ConstructorError(problem=why, problem_mark=node.start_mark)


if __name__ == "__main__":
    try:
        resolve(read(sys.argv[3]), load_schema(sys.argv[1]), sys.argv[2])
    except ConfigError as error:
        sys.exit(f"Configuration error: {error}")
