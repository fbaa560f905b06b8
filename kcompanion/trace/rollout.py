"""Roll-outs: revisions, what changed from one to the next, and where a running one stands.

A Deployment keeps a ReplicaSet per revision; StatefulSets and DaemonSets keep ControllerRevisions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kcompanion.explain_free import percent  # placeholder
