"""Plan to artifacts: the stage that runs what has to be run, and reuses the rest. Importing it loads no numpy."""

from synthspec.execute.core.backend import CORE
from synthspec.execute.execution import Execution, NodeRun
from synthspec.execute.local import Passage, execute, obstacles
from synthspec.execute.preflight import problems, unaligned

__all__ = ["CORE", "Execution", "NodeRun", "Passage", "execute", "obstacles", "problems", "unaligned"]
