"""The namespace of `fab`: which tasks there are, under which names."""

from fabfile.tasks import namespace

__all__ = ["namespace"]
