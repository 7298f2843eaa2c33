"""What `fab` finds in this checkout: the tasks of pacefab."""

from pacefab.cli.program import adopt_fab

namespace = adopt_fab()

__all__ = ["namespace"]
