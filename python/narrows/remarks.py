"""Warnings that point to the line of whoever called."""

from __future__ import annotations

import sys
import warnings

_OURS = ("narrows", "sklearn")


def warn(remark: str | None) -> None:
    """Warns with a remark, where there is one."""
    if not remark:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _OURS:
        level, frame = level + 1, frame.f_back
    warnings.warn(remark, stacklevel=level)
