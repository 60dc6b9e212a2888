"""The scenarios of the load generator: one file for each, found by the letter it names."""

import importlib
import pkgutil


def all_scenarios():
    """Modules with LETTER, TITLE and run(context), by letter."""
    modules = [importlib.import_module(f"scenarios.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return dict(sorted((module.LETTER, module) for module in modules))
