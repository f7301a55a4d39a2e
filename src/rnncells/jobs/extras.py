"""What the pipeline needs besides what the layer library needs."""

from importlib.util import find_spec


def need(package: str, *modules: str) -> None:
    """Refuse to import a package of the pipeline whose dependencies are not installed.

    Raises:
        ImportError: if one is missing; the message is one line that says how to install it.
    """
    if missing := [module for module in modules if find_spec(module) is None]:
        raise ImportError(
            f"{package} needs {', '.join(missing)}: pip install 'rnncells[pipeline]'",
            name=missing[0],
        )
