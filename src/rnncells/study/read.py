"""Read a configuration file, and say what is wrong with it in one line.

``python -m rnncells.study.read FILE`` checks a file before Snakemake reads it.
Snakemake's own reader takes the last of two equal keys, and answers a file that is not UTF-8 with
a traceback.
"""

import re
import sys
from pathlib import Path

import yaml

from ..jobs.errors import one_line, shown
from .plan import resolve
from .validation import ConfigError


def read(path: str | Path) -> dict:
    """Read a configuration (YAML, or JSON, which is YAML too); nothing in it is executed.

    Raises:
        ConfigError: if the file cannot be read, or is not a mapping with each key once.
    """
    try:
        config = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{place}: {one_line(error.problem or error.context)}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text in UTF-8 (byte {error.start})") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: is a directory; expected a file") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    # Numbers with thousands of digits, dates that do not exist, control characters.
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {one_line(error)}") from error
    if config is None:
        raise ConfigError(f"{path}: is empty; expected keys at the top level, such as studies")
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: {shown(config)} is not allowed; expected keys at the top level")
    return config


def read_or_exit(path: str | Path) -> dict:
    """Read a configuration; a mistake in it ends the program in one line, without a traceback."""
    try:
        return read(path)
    except ConfigError as error:
        sys.exit(f"Configuration error: {error}")


class _Loader(yaml.SafeLoader):
    """Plain YAML in which a mapping has each key once, and an integer no leading zero."""

    def __init__(self, stream: str):
        super().__init__(stream)
        self.checked: set[yaml.Node] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put the keys that are merged (``<<``) before a mapping's own, which may replace them."""
        if node not in self.checked:
            self.checked.add(node)
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    name = self.construct_object(key)
                    if name in seen:
                        raise _mistake(key, f"the key {shown(name)} is there twice")
                    seen.add(name)
        super().flatten_mapping(node)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if re.fullmatch("[-+]?0[0-9_]+", node.value):
            value = super().construct_yaml_int(node)
            raise _mistake(
                node,
                f"YAML reads {node.value} as an octal number, {value}; write it without leading "
                "zeros",
            )
        return super().construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _mistake(node: yaml.Node, why: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=why, problem_mark=node.start_mark)


if __name__ == "__main__":
    try:
        resolve(read(sys.argv[1]))
    except ConfigError as error:
        sys.exit(f"Configuration error: {error}")
