"""The namespace of `fab`: which tasks there are, under which names."""

import fabfile.startup  # noqa: F401  # sets how the rest is imported
from fabfile.tasks import namespace

__all__ = ["namespace"]
