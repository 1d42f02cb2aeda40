"""Gold → push → pull through a real server is the identity; what annotators do in between comes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from gongkai_annotations import push as pushing
from gongkai_annotations.pull import PullSummary, pull
from gongkai_annotations.push import PushSummary, Submission
from gongkai_annotations.records import GoldEntity, GoldRecord, GoldRelation, canonical
from gongkai_annotations.server import Project, Server
from gongkai_annotations.status import status
from gongkai_annotations.validate import validate

from annotations.conftest import EMAIL, RunningServer
from marking import unmarked

pytestmark = pytest.mark.label_studio
