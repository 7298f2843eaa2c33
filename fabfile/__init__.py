"""What `fab` finds in this checkout: the tasks of pacefab."""

from pacefab.cli.program import adopt_fab

namespace = adopt_fab(__file__, __name__)

__all__ = ["namespace"]
